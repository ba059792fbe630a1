-- Rows of runs that have moved into the window from another hour.
DELETE FROM pattern_occurrences o
USING workflow_history w
WHERE w.event_time >= :window_start AND w.event_time < :window_end
  AND o.workflow_id = w.workflow_id
  AND o.occurred_at <> w.event_time
