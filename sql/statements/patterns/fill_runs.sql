INSERT INTO stage_runs
SELECT workflow_id, event_time, status, duration_seconds, total_tokens,
       coalesce(actual_cost_total, estimated_cost_total), step_count > 0 AND :step_layer
FROM workflow_history
WHERE event_time >= :window_start AND event_time < :window_end AND superseded_by IS NULL
