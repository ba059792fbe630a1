-- Kept: the current estimate, any that a decision stands on or the queue shows, and the last one of each day.
DELETE FROM roi_estimates e
USING (
    SELECT pattern_id, input_hash,
           row_number() OVER (PARTITION BY pattern_id, (estimated_at AT TIME ZONE 'UTC')::date
                              ORDER BY estimated_at DESC, input_hash) AS place
    FROM roi_estimates
) ranked
WHERE e.pattern_id = ranked.pattern_id AND e.input_hash = ranked.input_hash AND ranked.place > 1
  AND NOT EXISTS (SELECT FROM operation_patterns p
                  WHERE p.pattern_id = e.pattern_id AND p.current_estimate = e.input_hash)
  AND NOT EXISTS (SELECT FROM pattern_approvals a
                  WHERE a.pattern_id = e.pattern_id AND e.input_hash IN (a.evidence_hash, a.decided_evidence_hash))
  AND NOT EXISTS (SELECT FROM pattern_review_history h
                  WHERE h.pattern_id = e.pattern_id AND h.evidence_hash = e.input_hash)
