-- The run is linked if it has landed already; otherwise `roi/link_executions` does so later.
INSERT INTO pattern_executions (
    idempotency_key, content_hash, pattern_id, workflow_id, reported_workflow_id, execution_time_seconds,
    estimated_time_seconds, actual_cost, estimated_cost, tokens, success, error_message, reported_by, executed_at)
VALUES (
    :idempotency_key, :content_hash, :pattern_id,
    (SELECT w.workflow_id FROM workflow_history w WHERE w.workflow_id = :workflow_id::text), :workflow_id::text,
    :execution_time_seconds, :estimated_time_seconds, :actual_cost, :estimated_cost, :tokens, :success, :error_message,
    :reported_by, coalesce(:executed_at::timestamptz, now()))
RETURNING execution_id
