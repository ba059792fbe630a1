SELECT date_trunc('hour', hour, 'UTC') AS hour, count(*) AS rows
FROM pattern_hourly_statistics
WHERE hour >= :window_start AND hour < :window_end
GROUP BY 1
ORDER BY 1
