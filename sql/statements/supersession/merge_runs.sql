UPDATE workflow_history AS run
SET superseded_by = shared.superseded_by
FROM shared_runs AS shared
WHERE run.workflow_id = shared.workflow_id AND shared.superseded_by IS NOT NULL;

UPDATE workflow_history AS run
SET merged_content = merged.content,
    step_count = (SELECT count(*) FROM tool_calls AS call WHERE call.workflow_id = run.workflow_id)
FROM (
    SELECT part.holder_id,
           md5(string_agg(part.supplier_id || ' ' || supplier.content_hash, E'\n' ORDER BY part.supplier_id COLLATE "C"))
               AS content
    FROM (SELECT DISTINCT holder_id, supplier_id FROM shared_calls WHERE holder_id <> supplier_id) AS part
    JOIN workflow_history AS supplier ON supplier.workflow_id = part.supplier_id
    GROUP BY part.holder_id
) AS merged
WHERE run.workflow_id = merged.holder_id;
