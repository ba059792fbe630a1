-- A queued pattern with its status, its evidence and the flags of the estimate that the evidence shows.
DROP VIEW IF EXISTS v_queue_entries;
CREATE VIEW v_queue_entries AS
SELECT a.pattern_id, p.pattern_signature, p.pattern_type, p.kind, a.status, a.version, a.needs_review, a.review_reason,
       a.confidence_score, a.occurrence_count, a.potential_monthly_savings, a.net_p10, a.net_p50, a.net_p90, a.npv_p10,
       a.impact_score, a.verdict, coalesce(e.flags, '{}') AS flags, a.tool_sequence, a.example_workflows, a.evidence_hash,
       a.deferred_until, a.reviewed_by, a.reviewed_at, a.approval_notes, a.created_at,
       p.readable, e.monthly_rate, e.probability_of_loss, e.payback_months, p.last_seen
FROM pattern_approvals a
JOIN operation_patterns p ON p.pattern_id = a.pattern_id
LEFT JOIN roi_estimates e ON e.pattern_id = a.pattern_id AND e.input_hash = a.evidence_hash;
