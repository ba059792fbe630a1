-- Decided patterns that are no longer what was decided upon, or whose deferral is over, and are not flagged yet.
WITH decided AS (
    SELECT a.pattern_id, a.version, a.deferred_until,
           a.status = 'deferred' AND a.deferred_until <= now() AS deferral_is_over,
           current.net_p50, seen.net_p10 AS decided_net_p10, seen.net_p90 AS decided_net_p90,
           coalesce(current.net_p50 NOT BETWEEN seen.net_p10 AND seen.net_p90, false) AS savings_drifted,
           p.confidence_score, a.decided_confidence,
           coalesce(abs(p.confidence_score - a.decided_confidence) > :confidence_points::numeric, false) AS confidence_drifted
    FROM pattern_approvals a
    JOIN operation_patterns p ON p.pattern_id = a.pattern_id
    LEFT JOIN roi_estimates current ON current.pattern_id = p.pattern_id AND current.input_hash = p.current_estimate
    LEFT JOIN roi_estimates seen ON seen.pattern_id = a.pattern_id AND seen.input_hash = a.decided_evidence_hash
    WHERE a.status <> 'pending' AND NOT a.needs_review
)
SELECT *
FROM decided
WHERE savings_drifted OR confidence_drifted OR deferral_is_over
ORDER BY pattern_id
