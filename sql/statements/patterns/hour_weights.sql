-- How much work each hour of a window holds, so that a window can be cut into chunks of bounded size.
SELECT hour, workflow_count + step_count AS weight
FROM history_hours
WHERE hour >= :window_start AND hour < :window_end AND workflow_count > 0
ORDER BY hour
