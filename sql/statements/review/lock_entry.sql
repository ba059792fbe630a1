-- One queued pattern, held until the transaction ends, with what a decision upon the given evidence needs to know.
SELECT a.pattern_id, p.pattern_signature, a.status, a.version, a.needs_review, a.reviewed_by, a.reviewed_at,
       a.confidence_score, coalesce(:evidence_hash::text, a.evidence_hash) AS seen_hash,
       :evidence_hash::text IS NULL OR seen.input_hash IS NOT NULL AS evidence_is_kept,
       seen.net_p10 AS seen_net_p10, seen.net_p90 AS seen_net_p90, current.net_p50 AS current_net_p50,
       coalesce(current.net_p50 NOT BETWEEN seen.net_p10 AND seen.net_p90, false) AS savings_drifted
FROM pattern_approvals a
JOIN operation_patterns p ON p.pattern_id = a.pattern_id
LEFT JOIN roi_estimates seen
    ON seen.pattern_id = a.pattern_id AND seen.input_hash = coalesce(:evidence_hash::text, a.evidence_hash)
LEFT JOIN roi_estimates current ON current.pattern_id = p.pattern_id AND current.input_hash = p.current_estimate
WHERE a.pattern_id = :pattern_id
FOR UPDATE OF a
