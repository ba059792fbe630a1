-- The rows of the window, and those of runs that have moved into it from another hour.
WITH moved AS (
    DELETE FROM detected_signatures d
    USING workflow_history w
    WHERE w.event_time >= :window_start AND w.event_time < :window_end
      AND d.workflow_id = w.workflow_id
      AND (d.event_time < :window_start OR d.event_time >= :window_end)
)
DELETE FROM detected_signatures
WHERE event_time >= :window_start AND event_time < :window_end
