-- The latest event of the closed hours: the window ends with the data, not with the clock.
SELECT max(event_time)
FROM workflow_history
WHERE superseded_by IS NULL
  AND event_time >= (SELECT max(hour) FROM history_hours WHERE workflow_count > 0)
  AND event_time < (SELECT max(hour) FROM history_hours WHERE workflow_count > 0) + interval '1 hour'
