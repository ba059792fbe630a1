-- Closed hours whose counts are not those of their rows. A run that landed since then explains a difference.
SELECT h.hour, h.workflow_count, count(w.workflow_id) AS rows_now
FROM history_hours h
JOIN touched_hours t ON t.hour = h.hour AND t.generation = h.generation
LEFT JOIN workflow_history w
    ON w.event_time >= h.hour AND w.event_time < h.hour + interval '1 hour' AND w.superseded_by IS NULL
WHERE h.hour >= :window_start AND h.hour < :window_end
GROUP BY h.hour, h.workflow_count
HAVING h.workflow_count <> count(w.workflow_id)
ORDER BY h.hour
LIMIT 20
