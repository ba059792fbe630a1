-- The catalogue, with how often each sequence occurs once overlaps are resolved.
SELECT c.signature, c.readable, c.kind, cardinality(c.elements) AS length, c.workflows, c.days, c.automatable,
       c.exclusion_reason, p.occurrence_count, p.execution_count, p.attributed_cost_usd, e.verdict
FROM sequence_catalog c
LEFT JOIN operation_patterns p ON p.pattern_signature = c.signature
LEFT JOIN roi_estimates e ON e.pattern_id = p.pattern_id AND e.input_hash = p.current_estimate
WHERE c.automatable OR :excluded
ORDER BY c.automatable DESC, c.workflows DESC, cardinality(c.elements) DESC, c.signature
LIMIT :limit
