DELETE FROM workflow_characteristics c
USING workflow_history w
WHERE w.event_time >= :window_start AND w.event_time < :window_end AND c.workflow_id = w.workflow_id
