UPDATE operation_patterns p SET
    current_estimate = s.input_hash,
    potential_monthly_savings = s.potential_monthly_savings,
    avg_cost_with_tool = s.tool_cost,
    impact_score = p.confidence_score * p.occurrence_count * s.potential_monthly_savings::numeric
FROM stage_estimates s
WHERE p.pattern_signature = s.pattern_signature
