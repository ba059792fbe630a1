SELECT count(*) FROM workflow_history
WHERE superseded_by IS NULL AND (event_time < :start OR event_time >= CAST(:end AS timestamptz) + interval '1 day')
