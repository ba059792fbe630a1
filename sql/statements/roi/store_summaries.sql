-- Rows that say what is stored already are left alone.
INSERT INTO pattern_roi_summary AS kept (
    pattern_id, total_executions, successful_executions, success_rate, priced_executions, total_cost_saved_usd,
    average_cost_saved_usd, total_time_saved_seconds, average_time_saved_seconds, total_actual_cost, invested_usd,
    roi_percentage, effectiveness, last_executed_at, baseline_cost, baseline_hash, approved)
SELECT pattern_id, total_executions, successful_executions, success_rate, priced_executions, total_cost_saved_usd,
       average_cost_saved_usd, total_time_saved_seconds, average_time_saved_seconds, total_actual_cost, invested_usd,
       roi_percentage, effectiveness, last_executed_at, baseline_cost, baseline_hash, approved
FROM jsonb_populate_recordset(NULL::pattern_roi_summary, :summaries::jsonb)
ON CONFLICT (pattern_id) DO UPDATE SET
    total_executions = excluded.total_executions,
    successful_executions = excluded.successful_executions,
    success_rate = excluded.success_rate,
    priced_executions = excluded.priced_executions,
    total_cost_saved_usd = excluded.total_cost_saved_usd,
    average_cost_saved_usd = excluded.average_cost_saved_usd,
    total_time_saved_seconds = excluded.total_time_saved_seconds,
    average_time_saved_seconds = excluded.average_time_saved_seconds,
    total_actual_cost = excluded.total_actual_cost,
    invested_usd = excluded.invested_usd,
    roi_percentage = excluded.roi_percentage,
    effectiveness = excluded.effectiveness,
    last_executed_at = excluded.last_executed_at,
    baseline_cost = excluded.baseline_cost,
    baseline_hash = excluded.baseline_hash,
    approved = excluded.approved,
    updated_at = now()
WHERE to_jsonb(kept) - 'updated_at' IS DISTINCT FROM to_jsonb(excluded) - 'updated_at'
