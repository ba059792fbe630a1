WITH moved AS (
    DELETE FROM pattern_occurrences o
    USING workflow_history w
    WHERE w.event_time >= :window_start AND w.event_time < :window_end
      AND o.workflow_id = w.workflow_id
      AND (o.occurred_at < :window_start OR o.occurred_at >= :window_end)
)
DELETE FROM pattern_occurrences
WHERE occurred_at >= :window_start AND occurred_at < :window_end
