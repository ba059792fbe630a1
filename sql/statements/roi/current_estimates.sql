-- The current estimate of every pattern that was seen and may be automated, best first; or of one pattern, whatever it is.
SELECT p.pattern_signature, p.readable, coalesce(a.status, p.automation_status) AS status, e.*
FROM operation_patterns p
JOIN roi_estimates e ON e.pattern_id = p.pattern_id AND e.input_hash = p.current_estimate
LEFT JOIN pattern_approvals a ON a.pattern_id = p.pattern_id
WHERE CASE WHEN :pattern_id::integer IS NULL THEN e.occurrences > 0 AND e.verdict <> 'excluded'
           ELSE p.pattern_id = :pattern_id::integer END
ORDER BY e.npv_p10 DESC NULLS LAST, p.pattern_signature
LIMIT :limit
