-- Steps of some templates in the latest runs of a pattern, as they were called.
SELECT d.workflow_id, d.step_seq, t.tool_name, t.command, t.cwd, t.tool_params::text AS tool_params
FROM (
    SELECT o.workflow_id
    FROM operation_patterns p
    JOIN pattern_occurrences o USING (pattern_id)
    WHERE p.pattern_signature = :pattern_name
    ORDER BY o.occurred_at DESC, o.workflow_id
    LIMIT :runs
) AS recent
JOIN detected_signatures d ON d.workflow_id = recent.workflow_id AND d.part = 0
JOIN command_templates m ON m.template_id = d.template_id
JOIN tool_calls t ON t.workflow_id = d.workflow_id AND t.seq = d.step_seq
WHERE m.template IN (SELECT jsonb_array_elements_text(:templates::jsonb))
ORDER BY d.workflow_id, d.step_seq
LIMIT :steps
