-- Reported executions of the window whose pattern has a template, and which are no use of it.
SELECT x.idempotency_key, p.pattern_signature, x.executed_at
FROM pattern_executions x
JOIN operation_patterns p USING (pattern_id)
JOIN pattern_templates t ON t.pattern_name = p.pattern_signature AND t.source = 'mined'
WHERE x.executed_at >= :window_start AND x.executed_at < :window_end
  AND NOT EXISTS (SELECT FROM pattern_usage_events u
                  WHERE u.id = md5('execution:' || x.idempotency_key)::uuid AND u.pattern_id = t.id)
ORDER BY x.executed_at
LIMIT 20
