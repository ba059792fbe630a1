-- What the totals say, written to the patterns. Means use the best cost basis present, never a mixture.
WITH recent AS (
    SELECT p.pattern_id,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY o.attributed_cost_usd)::numeric AS median_cost,
           percentile_cont(0.9) WITHIN GROUP (ORDER BY o.attributed_cost_usd)::numeric AS p90_cost,
           count(DISTINCT o.project)::integer AS projects,
           coalesce(array_agg(DISTINCT o.model_used ORDER BY o.model_used) FILTER (WHERE o.model_used IS NOT NULL),
                    '{}') AS models
    FROM pattern_totals p
    CROSS JOIN LATERAL (
        SELECT o.attributed_cost_usd, w.project, w.model_used
        FROM pattern_occurrences o
        JOIN workflow_history w USING (workflow_id)
        WHERE o.pattern_id = p.pattern_id
          AND o.cost_basis = ANY (CASE WHEN p.step_n > 0 THEN '{step,unpriced}'
                                       ELSE '{workflow,unpriced}' END::text[])
        ORDER BY o.occurred_at DESC, o.workflow_id
        LIMIT :recent
    ) o
    GROUP BY p.pattern_id
)
UPDATE operation_patterns p SET
    first_detected = t.first_event,
    last_seen = t.last_event,
    occurrence_count = t.occurrences,
    intent_count = t.intents,
    execution_count = t.hits,
    completed_count = t.completed,
    failed_count = t.failed,
    distinct_days = t.distinct_days,
    priced_count = CASE WHEN t.step_n > 0 THEN t.step_n ELSE t.run_n END,
    cost_basis = CASE WHEN t.step_n > 0 THEN 'step' WHEN t.run_n > 0 THEN 'workflow'
                      WHEN t.occurrences > 0 THEN 'unpriced' WHEN t.intents > 0 THEN 'intent' END,
    attributed_cost_usd = CASE WHEN t.step_n > 0 THEN t.step_sum WHEN t.run_n > 0 THEN t.run_sum END,
    portfolio_cost_usd = CASE WHEN t.step_n + t.run_n > 0 THEN t.portfolio_sum END,
    naive_cost_usd = CASE WHEN t.step_n + t.run_n > 0 THEN t.naive_sum END,
    avg_cost_with_llm = CASE WHEN t.step_n > 0 THEN t.step_sum / t.step_n WHEN t.run_n > 0 THEN t.run_sum / t.run_n END,
    avg_tokens_with_llm = t.tokens_sum / nullif(t.tokens_n, 0),
    median_cost_with_llm = round(r.median_cost, 12),
    p90_cost_with_llm = round(r.p90_cost, 12),
    projects = coalesce(r.projects, 0),
    models = coalesce(r.models, '{}'),
    detection_confidence = c.detection_confidence,
    confidence_score = c.confidence_score,
    confidence_version = :confidence_version,
    updated_at = now()
FROM pattern_totals t
JOIN stage_confidence c USING (pattern_id)
LEFT JOIN recent r USING (pattern_id)
WHERE p.pattern_id = t.pattern_id
