-- Changes of the confidence in patterns that have executions; that of the others is what was detected, and needs no history.
INSERT INTO pattern_confidence_history (pattern_id, old_confidence, new_confidence, reason, snapshot)
SELECT c.pattern_id, p.confidence_score, c.confidence_score, 'statistics',
       jsonb_build_object('detection_confidence', c.detection_confidence, 'total_executions', s.total_executions,
                          'successful_executions', s.successful_executions, 'roi_percentage', s.roi_percentage,
                          'confidence_version', :confidence_version::text)
FROM stage_confidence c
JOIN operation_patterns p USING (pattern_id)
JOIN pattern_roi_summary s USING (pattern_id)
WHERE p.confidence_score IS DISTINCT FROM c.confidence_score
ORDER BY c.pattern_id
