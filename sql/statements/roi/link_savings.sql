UPDATE cost_savings_log l SET workflow_id = e.workflow_id
FROM pattern_executions e
WHERE l.execution_id = e.execution_id AND l.workflow_id IS NULL AND e.workflow_id IS NOT NULL
