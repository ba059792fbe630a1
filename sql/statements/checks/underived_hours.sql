-- Hourly aggregates that are not the sums of their occurrences.
WITH counted AS (
    SELECT date_trunc('hour', occurred_at, 'UTC') AS hour, pattern_id,
           count(*) FILTER (WHERE cost_basis <> 'intent') AS occurrences,
           coalesce(sum(portfolio_cost_usd), 0) AS cost
    FROM pattern_occurrences
    WHERE occurred_at >= :window_start AND occurred_at < :window_end
    GROUP BY 1, 2
),
stored AS (
    SELECT hour, pattern_id, occurrences, portfolio_sum AS cost
    FROM pattern_hourly_statistics
    WHERE hour >= :window_start AND hour < :window_end
)
SELECT hour, pattern_id, c.occurrences AS rows_now, s.occurrences AS stored
FROM counted c
FULL JOIN stored s USING (hour, pattern_id)
WHERE c.occurrences IS DISTINCT FROM s.occurrences OR c.cost IS DISTINCT FROM s.cost
ORDER BY hour, pattern_id
LIMIT 20
