SELECT p.pattern_signature AS signature, p.readable, a.status, a.needs_review, a.occurrence_count, a.confidence_score,
       a.potential_monthly_savings, a.net_p10, a.net_p50, a.net_p90, a.npv_p10, a.verdict
FROM pattern_approvals a
JOIN operation_patterns p USING (pattern_id)
WHERE a.status IN ('pending', 'deferred')
ORDER BY a.npv_p10 DESC NULLS LAST, p.pattern_signature
LIMIT :limit
