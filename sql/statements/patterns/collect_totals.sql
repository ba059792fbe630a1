-- Every pattern's sums over all days; patterns without any stay, with zeros. Called while no hour waits for other rules.
CREATE TEMP TABLE pattern_totals ON COMMIT DROP AS
SELECT p.pattern_id,
       coalesce(sum(d.occurrences), 0)::integer AS occurrences,
       coalesce(sum(d.intents), 0)::integer AS intents,
       coalesce(sum(d.hits), 0)::bigint AS hits,
       coalesce(sum(d.completed), 0)::integer AS completed,
       coalesce(sum(d.failed), 0)::integer AS failed,
       coalesce(sum(d.error_n), 0)::integer AS error_n,
       coalesce(sum(d.error_sum), 0)::bigint AS error_sum,
       coalesce(sum(d.retry_sum), 0)::bigint AS retry_sum,
       count(*) FILTER (WHERE d.occurrences > 0)::integer AS distinct_days,
       coalesce(sum(d.step_n), 0)::integer AS step_n, sum(d.step_sum) AS step_sum,
       coalesce(sum(d.run_n), 0)::integer AS run_n, sum(d.run_sum) AS run_sum,
       sum(d.portfolio_sum) AS portfolio_sum, sum(d.naive_sum) AS naive_sum,
       coalesce(sum(d.tokens_n), 0)::integer AS tokens_n, sum(d.tokens_sum) AS tokens_sum,
       coalesce(sum(d.seconds_n), 0)::integer AS seconds_n,
       coalesce(sum(d.seconds_sum), 0) AS seconds_sum, coalesce(sum(d.seconds_sumsq), 0) AS seconds_sumsq,
       min(d.first_event) AS first_event, max(d.last_event) AS last_event
FROM operation_patterns p
LEFT JOIN pattern_daily_statistics d USING (pattern_id)
GROUP BY p.pattern_id
