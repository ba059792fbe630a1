-- An event that is there already, and whether it is the one that is reported now.
SELECT id, pattern_id, used_at, success, quality_improvement, true AS repeated,
       (pattern_id, success, file_path, project_id, execution_time_ms, error_message, quality_before, quality_after, context, tags)
           IS NOT DISTINCT FROM (:pattern_id::uuid, :success::boolean, :file_path::text, :project_id::text,
           :execution_time_ms::numeric, :error_message::text, :quality_before::numeric, :quality_after::numeric,
           :context::jsonb, :tags::text[])
       AND used_at = coalesce(:used_at::timestamptz, used_at) AS is_same
FROM pattern_usage_events
WHERE id = :event_id
