-- Calls that join another run, and the new places of those that were there; a mere number becomes an id of its own.
WITH placed AS (
    SELECT supplier_id, tool_call_id, holder_id, is_numbered AND holder_id <> supplier_id AS needs_id,
           row_number() OVER (
               PARTITION BY holder_id ORDER BY event_time, rank DESC, supplier_id COLLATE "C", seq
           ) - 1 AS seq
    FROM shared_calls
    WHERE twin_id IS NULL
      AND holder_id IN (SELECT holder_id FROM shared_calls WHERE twin_id IS NULL AND holder_id <> supplier_id)
)
UPDATE tool_calls AS call
SET workflow_id = placed.holder_id,
    tool_call_id = CASE
        WHEN placed.needs_id THEN call.tool_call_id || '@' || left(md5(call.workflow_id), 12)
        ELSE call.tool_call_id
    END,
    seq = placed.seq,
    as_supplied = coalesce(call.as_supplied, '{}')
        || jsonb_build_object('workflow_id', call.workflow_id, 'tool_call_id', call.tool_call_id, 'seq', call.seq)
FROM placed
WHERE call.workflow_id = placed.supplier_id
  AND call.tool_call_id = placed.tool_call_id
  AND (placed.holder_id <> placed.supplier_id OR placed.seq <> call.seq);
