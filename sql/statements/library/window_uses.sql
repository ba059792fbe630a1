-- Uses by hour of a window, and their templates.
SELECT date_trunc('hour', used_at, 'UTC') AS hour, count(*) AS uses, count(*) FILTER (WHERE success) AS successes,
       count(DISTINCT pattern_id) AS templates
FROM pattern_usage_events
WHERE used_at >= :window_start AND used_at < :window_end
GROUP BY 1
ORDER BY 1
