-- The estimate that a pattern's published figures stand on.
SELECT e.*
FROM operation_patterns p
JOIN roi_estimates e ON e.pattern_id = p.pattern_id AND e.input_hash = p.current_estimate
WHERE p.pattern_id = :pattern_id
