-- One execution with what it saved.
SELECT e.execution_id, e.idempotency_key, p.pattern_signature, e.reported_workflow_id AS workflow_id, e.success,
       e.execution_time_seconds, e.estimated_time_seconds, e.actual_cost, e.estimated_cost, e.tokens, e.error_message,
       e.reported_by, e.executed_at, l.cost_saved_usd
FROM pattern_executions e
JOIN operation_patterns p USING (pattern_id)
LEFT JOIN cost_savings_log l USING (execution_id)
WHERE e.execution_id = :execution_id
