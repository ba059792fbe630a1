-- What happens to each staged run: its best version is stored already, is in this batch, or has to be read again.
INSERT INTO resolved
SELECT staged.workflow_id,
       staged.ordinal,
       CASE
           WHEN best.content_hash = stored.content_hash THEN 'unchanged'
           WHEN best.content_hash = staged.content_hash AND stored.workflow_id IS NULL THEN 'insert'
           WHEN best.content_hash = staged.content_hash THEN 'update'
           WHEN best.content_hash IS NOT NULL THEN 'reread'
           WHEN EXISTS (SELECT FROM run_sources AS any_version WHERE any_version.workflow_id = staged.workflow_id)
                THEN 'unchanged'
           ELSE 'delete'
       END,
       best.source_id,
       stored.event_time,
       staged.event_time
FROM staged_versions AS staged
LEFT JOIN ranked_versions AS best ON best.workflow_id = staged.workflow_id AND best.place = 1
LEFT JOIN workflow_history AS stored ON stored.workflow_id = staged.workflow_id;
