-- What was detected in the runs of the window, and in those that have moved into it from another hour: by what is stored,
-- since a run may have moved on after it was read.
WITH own AS (
    DELETE FROM detected_signatures
    WHERE event_time >= :window_start AND event_time < :window_end
    RETURNING workflow_id
),
moved AS (
    DELETE FROM detected_signatures d
    USING workflow_history w
    WHERE w.event_time >= :window_start AND w.event_time < :window_end
      AND d.workflow_id = w.workflow_id
      AND (d.event_time < :window_start OR d.event_time >= :window_end)
    RETURNING d.workflow_id
)
DELETE FROM workflow_characteristics
WHERE workflow_id IN (SELECT workflow_id FROM own UNION ALL SELECT workflow_id FROM moved)
