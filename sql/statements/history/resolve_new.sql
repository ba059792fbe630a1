INSERT INTO resolved (workflow_id, ordinal, action, event_time)
SELECT workflow_id, ordinal, 'insert', event_time FROM staged_versions;
