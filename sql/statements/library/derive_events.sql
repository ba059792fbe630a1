-- Reported executions of patterns that have a template, as uses of it: those of a window, by when they took place or were
-- recorded, and all of some templates. The id is made of the execution's key, so that a replay finds it there.
WITH chosen AS (
    SELECT execution_id FROM pattern_executions WHERE executed_at >= :window_start AND executed_at < :window_end
    UNION
    SELECT execution_id FROM pattern_executions WHERE recorded_at >= :window_start AND recorded_at < :window_end
    UNION
    SELECT x.execution_id
    FROM pattern_templates t
    JOIN operation_patterns p ON p.pattern_signature = t.pattern_name
    JOIN pattern_executions x USING (pattern_id)
    WHERE t.id = ANY (:templates::uuid[])
)
INSERT INTO pattern_usage_events AS u (id, pattern_id, project_id, success, execution_time_ms, error_message, used_at, context)
SELECT md5('execution:' || x.idempotency_key)::uuid, t.id, w.project, x.success, x.execution_time_seconds * 1000,
       x.error_message, x.executed_at, jsonb_build_object('execution', x.idempotency_key, 'reported_by', x.reported_by)
FROM chosen
JOIN pattern_executions x USING (execution_id)
JOIN operation_patterns p USING (pattern_id)
JOIN pattern_templates t ON t.pattern_name = p.pattern_signature AND t.source = 'mined'
LEFT JOIN workflow_history w ON w.workflow_id = coalesce(x.workflow_id, x.reported_workflow_id)
ON CONFLICT (id) DO UPDATE SET project_id = excluded.project_id
WHERE u.project_id IS DISTINCT FROM excluded.project_id
