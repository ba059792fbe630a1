INSERT INTO touched_hours (hour, generation)
SELECT hour, 0
FROM (
    SELECT date_trunc('hour', event_time, 'UTC') FROM workflow_history WHERE event_time >= :start AND event_time < :end
    UNION
    SELECT hour FROM history_hours WHERE hour >= :start AND hour < :end
) AS known (hour)
ORDER BY hour
ON CONFLICT (hour) DO NOTHING;
