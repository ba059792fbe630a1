-- A pattern, its current estimate and its place in the queue: the row that lists, pages and the API show.
CREATE OR REPLACE VIEW v_patterns AS
SELECT p.pattern_id, p.pattern_signature AS signature, p.readable, p.kind, p.pattern_type, p.automatable,
       p.exclusion_reason, p.occurrence_count, p.intent_count, p.execution_count, p.distinct_days, p.priced_count,
       p.cost_basis, p.attributed_cost_usd, p.portfolio_cost_usd, p.naive_cost_usd, p.avg_cost_with_llm,
       p.confidence_score, p.first_detected, p.last_seen,
       e.monthly_rate, p.potential_monthly_savings, p.impact_score,
       e.net_p10 AS net_monthly_savings_p10, e.net_p50 AS net_monthly_savings_p50, e.net_p90 AS net_monthly_savings_p90,
       e.npv_p10, e.npv_p50, e.npv_p90, e.probability_of_loss, e.naive_monthly_savings, e.naive_factor,
       coalesce(e.verdict, CASE WHEN p.automatable THEN 'insufficient_evidence' ELSE 'excluded' END) AS verdict,
       coalesce(e.reasons, '{}') AS reasons, coalesce(e.flags, '{}') AS flags,
       coalesce(a.status, p.automation_status) AS status, a.needs_review
FROM operation_patterns p
LEFT JOIN roi_estimates e ON e.pattern_id = p.pattern_id AND e.input_hash = p.current_estimate
LEFT JOIN pattern_approvals a ON a.pattern_id = p.pattern_id
