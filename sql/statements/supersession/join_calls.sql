-- The other calls of superseded runs join, of the runs that these share calls with, the one that was going on at the time.
UPDATE shared_calls AS call
SET holder_id = chosen.holder_id
FROM (
    SELECT DISTINCT ON (call.supplier_id, call.tool_call_id) call.supplier_id, call.tool_call_id, shared.holder_id
    FROM shared_calls AS call
    JOIN (SELECT DISTINCT supplier_id, holder_id FROM shared_links) AS shared USING (supplier_id)
    JOIN shared_runs AS holder ON holder.workflow_id = shared.holder_id
    WHERE call.rank = :rank AND call.twin_id IS NULL
    ORDER BY call.supplier_id, call.tool_call_id,
             CASE WHEN holder.start_time <= call.event_time THEN holder.start_time END DESC NULLS LAST,
             holder.start_time NULLS LAST, shared.holder_id COLLATE "C"
) AS chosen
WHERE call.supplier_id = chosen.supplier_id AND call.tool_call_id = chosen.tool_call_id;
