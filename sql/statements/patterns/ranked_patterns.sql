SELECT signature, readable, kind, occurrence_count, intent_count, execution_count, distinct_days, cost_basis,
       attributed_cost_usd, portfolio_cost_usd, naive_cost_usd, confidence_score, monthly_rate,
       potential_monthly_savings, net_monthly_savings_p10, net_monthly_savings_p50, net_monthly_savings_p90,
       npv_p10, npv_p50, npv_p90, verdict, reasons, flags, status
FROM v_patterns
WHERE occurrence_count + intent_count > 0
ORDER BY npv_p10 DESC NULLS LAST, signature
LIMIT :limit
