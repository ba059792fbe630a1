DELETE FROM workflow_history AS stored
USING resolved
WHERE stored.workflow_id = resolved.workflow_id AND resolved.action = 'delete';
