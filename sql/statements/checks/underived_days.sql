-- Days that are not the sums of their hours.
WITH hours AS (
    SELECT date_trunc('day', hour, 'UTC') AS day, pattern_id, sum(occurrences) AS occurrences, sum(portfolio_sum) AS cost
    FROM pattern_hourly_statistics
    WHERE hour >= date_trunc('day', :window_start, 'UTC')
      AND hour < date_trunc('day', :window_end - interval '1 hour', 'UTC') + interval '1 day'
    GROUP BY 1, 2
),
days AS (
    SELECT day, pattern_id, occurrences, portfolio_sum AS cost
    FROM pattern_daily_statistics
    WHERE day >= date_trunc('day', :window_start, 'UTC')
      AND day < date_trunc('day', :window_end - interval '1 hour', 'UTC') + interval '1 day'
)
SELECT day, pattern_id, h.occurrences AS hours, d.occurrences AS stored
FROM hours h
FULL JOIN days d USING (day, pattern_id)
WHERE h.occurrences IS DISTINCT FROM d.occurrences OR h.cost IS DISTINCT FROM d.cost
ORDER BY day, pattern_id
LIMIT 20
