INSERT INTO pattern_daily_statistics
SELECT date_trunc('day', hour, 'UTC'), pattern_id,
       sum(occurrences), sum(intents), sum(hits), sum(completed), sum(failed), sum(error_n), sum(error_sum),
       sum(retry_sum), sum(step_n), sum(step_sum), sum(step_sumsq), sum(run_n), sum(run_sum), sum(run_sumsq),
       min(cost_min), max(cost_max), sum(portfolio_sum), sum(naive_sum), sum(tokens_n), sum(tokens_sum),
       sum(tokens_sumsq), sum(seconds_n), sum(seconds_sum), sum(seconds_sumsq), min(first_event), max(last_event)
FROM pattern_hourly_statistics
WHERE hour >= :first_day AND hour < :next_day
GROUP BY 1, 2
