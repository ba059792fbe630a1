SELECT e.verdict, count(*) AS patterns
FROM operation_patterns p
JOIN roi_estimates e ON e.pattern_id = p.pattern_id AND e.input_hash = p.current_estimate
WHERE e.occurrences > 0
GROUP BY e.verdict
ORDER BY e.verdict
