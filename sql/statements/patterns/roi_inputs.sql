-- A row per pattern of a range of numbers: its sums over the days of the window, its most recent priced costs on the best
-- basis present, and how its automation fared since it exists.
WITH sums AS (
    SELECT pattern_id, sum(occurrences) AS occurrences, sum(hits) AS hits, sum(completed) AS completed,
           sum(failed) AS failed, count(*) FILTER (WHERE occurrences > 0) AS distinct_days,
           sum(step_n) AS step_n, sum(step_sum) AS step_sum, sum(run_n) AS run_n, sum(run_sum) AS run_sum,
           sum(naive_sum) AS naive_sum
    FROM pattern_daily_statistics
    WHERE day >= :window_start AND day < :window_end
      AND pattern_id BETWEEN :first_pattern::integer AND :last_pattern::integer
    GROUP BY pattern_id
),
executions AS (
    SELECT pattern_id, count(*) FILTER (WHERE success) AS succeeded, count(*) FILTER (WHERE NOT success) AS failed,
           count(actual_cost) AS cost_n, sum(actual_cost) AS cost_sum
    FROM pattern_executions
    WHERE pattern_id BETWEEN :first_pattern::integer AND :last_pattern::integer
    GROUP BY pattern_id
)
SELECT p.pattern_id, p.pattern_signature, p.pattern_type AS category, p.automatable, p.exclusion_reason,
       coalesce(s.occurrences, 0)::bigint AS occurrences, coalesce(s.hits, 0)::bigint AS hits,
       coalesce(s.completed, 0)::bigint AS completed, coalesce(s.failed, 0)::bigint AS failed,
       coalesce(s.distinct_days, 0)::bigint AS distinct_days,
       coalesce(s.step_n, 0)::bigint AS step_n, coalesce(s.step_sum, 0)::float8 AS step_sum,
       coalesce(s.run_n, 0)::bigint AS run_n, coalesce(s.run_sum, 0)::float8 AS run_sum,
       coalesce(s.naive_sum, 0)::float8 AS naive_sum,
       coalesce(x.succeeded, 0) AS executions_succeeded, coalesce(x.failed, 0) AS executions_failed,
       coalesce(x.cost_n, 0) AS execution_cost_n, coalesce(x.cost_sum, 0)::float8 AS execution_cost_sum,
       ARRAY(
           SELECT o.attributed_cost_usd::float8
           FROM pattern_occurrences o
           WHERE o.pattern_id = p.pattern_id AND o.occurred_at >= :window_start AND o.occurred_at < :window_end
             AND o.cost_basis = CASE WHEN s.step_n > 0 THEN 'step' ELSE 'workflow' END
           ORDER BY o.occurred_at DESC, o.workflow_id
           LIMIT :sample_size
       ) AS recent_costs
FROM operation_patterns p
LEFT JOIN sums s USING (pattern_id)
LEFT JOIN executions x USING (pattern_id)
WHERE p.pattern_id BETWEEN :first_pattern::integer AND :last_pattern::integer
ORDER BY p.pattern_signature
