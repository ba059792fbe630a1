INSERT INTO pattern_usage_events (id, pattern_id, correlation_id, file_path, project_id, success, execution_time_ms,
    error_message, quality_before, quality_after, used_at, context, tags)
VALUES (:event_id, :pattern_id, :correlation_id, :file_path, :project_id, :success, :execution_time_ms, :error_message,
    :quality_before, :quality_after, coalesce(:used_at::timestamptz, now()), :context::jsonb, :tags)
ON CONFLICT (id) DO NOTHING
RETURNING id, pattern_id, used_at, success, quality_improvement, false AS repeated
