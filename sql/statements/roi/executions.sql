-- The executions of some patterns, with the saving that the log has for each.
SELECT e.execution_id, p.pattern_signature, e.executed_at, e.success, e.actual_cost::float8 AS actual_cost,
       e.execution_time_seconds::float8 AS execution_time_seconds,
       e.estimated_time_seconds::float8 AS estimated_time_seconds, l.cost_saved_usd::float8 AS logged_usd
FROM pattern_executions e
JOIN operation_patterns p USING (pattern_id)
LEFT JOIN cost_savings_log l USING (execution_id)
WHERE e.pattern_id = ANY (:pattern_ids::integer[])
ORDER BY e.execution_id
