-- What an execution is compared with: the estimate of the latest approval; before any approval, the current one.
-- The history is asked, not the queue's row, because a revocation must not change what was approved.
SELECT p.pattern_id, p.pattern_signature, e.cost_per_occurrence::float8 AS baseline_cost,
       e.saving_per_occurrence::float8 AS saving_per_occurrence, e.build_cost::float8 AS build_cost,
       approvals.first_at AS in_service_since, e.input_hash AS baseline_hash,
       approvals.first_at IS NOT NULL AS approved
FROM operation_patterns p
CROSS JOIN LATERAL (
    SELECT min(h.created_at) AS first_at, (array_agg(h.evidence_hash ORDER BY h.history_id DESC))[1] AS evidence_hash
    FROM pattern_review_history h
    WHERE h.pattern_id = p.pattern_id AND h.action IN ('approved', 'auto-approved')
) approvals
LEFT JOIN roi_estimates e ON e.pattern_id = p.pattern_id
    AND e.input_hash = CASE WHEN approvals.first_at IS NULL THEN p.current_estimate ELSE approvals.evidence_hash END
WHERE p.pattern_id = ANY (:pattern_ids::integer[])
