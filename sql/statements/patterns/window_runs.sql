SELECT workflow_id, event_time, nl_input, error_message, workflow_template,
       duration_seconds::float8 AS duration_seconds, error_count::bigint AS error_count
FROM workflow_history
WHERE event_time >= :window_start AND event_time < :window_end
  AND superseded_by IS NULL
  AND (:slices = 1 OR abs(hashtext(workflow_id)::bigint) % :slices = :slice)
ORDER BY workflow_id
