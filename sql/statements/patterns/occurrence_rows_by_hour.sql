SELECT date_trunc('hour', occurred_at, 'UTC') AS hour, count(*) AS rows
FROM pattern_occurrences
WHERE occurred_at >= :window_start AND occurred_at < :window_end
GROUP BY 1
ORDER BY 1
