INSERT INTO pattern_operation_log (actor, operation, pattern_id, correlation_id, success, error_type, duration_ms, before,
    after, context)
VALUES (:actor, :operation, :pattern_id, :correlation_id, :success, :error_type, :duration_ms, :before::jsonb, :after::jsonb,
    :context::jsonb)
