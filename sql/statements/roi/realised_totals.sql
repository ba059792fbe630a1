SELECT count(*) AS patterns, coalesce(sum(total_executions), 0)::bigint AS total_executions,
       coalesce(sum(successful_executions), 0)::bigint AS successful_executions,
       sum(successful_executions)::numeric / nullif(sum(total_executions), 0) AS success_rate,
       sum(total_cost_saved_usd) AS total_cost_saved_usd, sum(total_actual_cost) AS total_actual_cost,
       sum(invested_usd) AS invested_usd, sum(total_time_saved_seconds) AS total_time_saved_seconds
FROM pattern_roi_summary
