-- For how many of the current estimates each input is assumed rather than measured.
SELECT a.key AS input, count(*) AS estimates, count(*) FILTER (WHERE (a.value ->> 'assumed')::boolean) AS assumed
FROM operation_patterns p
JOIN roi_estimates e ON e.pattern_id = p.pattern_id AND e.input_hash = p.current_estimate
CROSS JOIN jsonb_each(e.assumptions) a
WHERE e.occurrences > 0
GROUP BY a.key
ORDER BY a.key
