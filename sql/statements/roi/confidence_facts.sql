-- What effective confidence is a function of, for the patterns with executions (or one of them), and its stored value.
SELECT p.pattern_id, p.pattern_signature, p.detection_confidence::float8 AS detection_confidence,
       p.confidence_score::float8 AS confidence_score, coalesce(s.total_executions, 0) AS total_executions,
       coalesce(s.successful_executions, 0) AS successful_executions, s.roi_percentage::float8 AS roi_percentage
FROM operation_patterns p
LEFT JOIN pattern_roi_summary s USING (pattern_id)
WHERE p.detection_confidence IS NOT NULL
  AND CASE WHEN :pattern_id::integer IS NULL THEN s.pattern_id IS NOT NULL ELSE p.pattern_id = :pattern_id::integer END
ORDER BY p.pattern_signature
