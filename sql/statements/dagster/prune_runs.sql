-- Finished runs of which no event is left.
WITH doomed AS (
    SELECT run_id FROM runs
    WHERE status IN ('SUCCESS', 'FAILURE', 'CANCELED') AND update_timestamp < :before
      AND NOT EXISTS (SELECT FROM event_logs WHERE event_logs.run_id = runs.run_id)
    LIMIT :batch
),
untagged AS (
    DELETE FROM run_tags USING doomed WHERE run_tags.run_id = doomed.run_id
)
DELETE FROM runs USING doomed WHERE runs.run_id = doomed.run_id;
