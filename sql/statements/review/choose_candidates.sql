-- The patterns that pass a filter: how many, and the best of those that are not queued yet. What is queued takes no place
-- of the limit, else old rows would starve new ones.
WITH passing AS (
    SELECT v.pattern_id, v.pattern_signature, v.npv_p10,
           coalesce(v.potential_monthly_savings, 0) >= :min_savings::numeric AS saves_enough,
           EXISTS (SELECT FROM pattern_approvals a WHERE a.pattern_id = v.pattern_id) AS is_queued
    FROM v_queue_evidence v
    WHERE v.automatable
      AND v.verdict = ANY (:verdicts::text[])
      AND coalesce(v.confidence_score, 0) >= :min_confidence::numeric
      AND v.occurrence_count >= :min_occurrences::integer
      AND (cardinality(:only_types::text[]) = 0 OR v.pattern_type = ANY (:only_types::text[]))
      AND NOT v.pattern_type = ANY (:exclude_types::text[])
)
SELECT count(*) FILTER (WHERE saves_enough) AS total_candidates,
       count(*) FILTER (WHERE saves_enough AND NOT is_queued) AS pending_sync,
       count(*) FILTER (WHERE NOT saves_enough AND NOT is_queued) AS kept_out_by_savings,
       ARRAY(SELECT c.pattern_id
             FROM passing c
             WHERE c.saves_enough AND NOT c.is_queued
             ORDER BY c.npv_p10 DESC NULLS LAST, c.pattern_signature COLLATE "C"
             LIMIT :max_patterns) AS pattern_ids
FROM passing
