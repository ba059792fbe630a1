-- Executions that were reported before their run landed.
UPDATE pattern_executions e SET workflow_id = w.workflow_id
FROM workflow_history w
WHERE e.workflow_id IS NULL AND e.reported_workflow_id = w.workflow_id
