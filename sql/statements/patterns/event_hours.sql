SELECT DISTINCT date_trunc('hour', w.event_time, 'UTC') AS hour
FROM workflow_history w
JOIN stage_workflows s USING (workflow_id)
