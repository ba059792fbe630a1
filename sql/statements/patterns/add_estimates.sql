INSERT INTO roi_estimates (
    pattern_id, input_hash, roi_version, assumptions, window_start, window_end, exposure_days, gap_days, occurrences,
    priced_count, cost_basis, monthly_rate, monthly_rate_low, monthly_rate_high, cost_per_occurrence, cost_low, cost_high,
    tool_cost, reliability, agent_success_low, agent_success_high, saving_per_occurrence, potential_monthly_savings,
    net_monthly_savings, net_p10, net_p50, net_p90, npv, npv_p10, npv_p50, npv_p90, probability_of_loss, payback_months,
    roi_percent, break_even_monthly, build_cost, naive_monthly_savings, naive_factor, verdict, reasons, flags, inputs)
SELECT p.pattern_id, s.input_hash, s.roi_version, s.assumptions::jsonb, s.window_start, s.window_end, s.exposure_days,
       s.gap_days, s.occurrences, s.priced_count, s.cost_basis, s.monthly_rate, s.monthly_rate_low, s.monthly_rate_high,
       s.cost_per_occurrence, s.cost_low, s.cost_high, s.tool_cost, s.reliability, s.agent_success_low,
       s.agent_success_high, s.saving_per_occurrence, s.potential_monthly_savings, s.net_monthly_savings, s.net_p10,
       s.net_p50, s.net_p90, s.npv, s.npv_p10, s.npv_p50, s.npv_p90, s.probability_of_loss, s.payback_months,
       s.roi_percent, s.break_even_monthly, s.build_cost, s.naive_monthly_savings, s.naive_factor, s.verdict, s.reasons,
       s.flags, s.inputs::jsonb
FROM stage_estimates s
JOIN operation_patterns p ON p.pattern_signature = s.pattern_signature
ORDER BY p.pattern_id
ON CONFLICT DO NOTHING
