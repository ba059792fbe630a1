SELECT workflow_id, nl_input AS task
FROM workflow_history
WHERE workflow_id IN (SELECT workflow_id FROM stage_workflows)
