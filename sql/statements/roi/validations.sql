-- Estimate against reality: refuted first, then the largest shortfall.
SELECT p.pattern_signature, v.validation, v.executions, v.more_executions, v.estimated, v.realised_mean, v.deviation,
       v.difference, v.difference_low, v.difference_high, v.minimum_detectable_effect, v.baseline_hash
FROM roi_validations v
JOIN operation_patterns p USING (pattern_id)
WHERE :pattern_id::integer IS NULL OR v.pattern_id = :pattern_id::integer
ORDER BY array_position(ARRAY['refuted', 'inconclusive', 'confirmed'], v.validation), v.difference NULLS LAST,
         p.pattern_signature
