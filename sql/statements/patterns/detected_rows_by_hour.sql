SELECT date_trunc('hour', event_time, 'UTC') AS hour, count(*) AS rows
FROM detected_signatures
WHERE event_time >= :window_start AND event_time < :window_end
GROUP BY 1
ORDER BY 1
