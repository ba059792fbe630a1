-- Patterns that wait for a decision and would save at least so much a month even by their cautious estimate, best first.
SELECT a.pattern_id, p.pattern_signature, p.readable, a.net_p10, a.net_p50, a.occurrence_count
FROM pattern_approvals a
JOIN operation_patterns p USING (pattern_id)
WHERE a.status = 'pending' AND a.verdict = 'worth_automating' AND a.net_p10 >= :threshold
ORDER BY a.net_p10 DESC, a.pattern_id
LIMIT :most;
