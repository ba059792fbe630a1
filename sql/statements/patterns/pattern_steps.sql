-- The most recent steps that the pattern names.
SELECT d.workflow_id, d.step_seq, t.tool_name, t.command, t.cwd, t.tool_params::text AS tool_params, t.success
FROM pattern_occurrences o
JOIN detected_signatures d
    ON d.workflow_id = o.workflow_id AND d.signature_id = o.pattern_id AND d.step_seq >= 0 AND d.part = 0
JOIN tool_calls t ON t.workflow_id = d.workflow_id AND t.seq = d.step_seq
WHERE o.pattern_id = :pattern_id
ORDER BY o.occurred_at DESC, d.workflow_id, d.step_seq
LIMIT :limit
