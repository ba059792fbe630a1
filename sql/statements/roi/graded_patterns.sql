-- Patterns with executions and their place in the queue: what recommendations are made from.
SELECT p.pattern_signature, a.status, s.total_executions, s.successful_executions,
       s.success_rate::float8 AS success_rate, s.roi_percentage::float8 AS roi_percentage
FROM pattern_roi_summary s
JOIN operation_patterns p USING (pattern_id)
JOIN pattern_approvals a USING (pattern_id)
ORDER BY p.pattern_signature
