-- Recent runs with what was executed there, else with what was asked for.
SELECT o.workflow_id, o.occurred_at, o.layer, o.hit_count, o.cost_basis, o.attributed_cost_usd AS cost_usd,
       o.run_cost_usd, coalesce(step.command, left(w.error_message, 300), left(w.nl_input, 300)) AS evidence
FROM pattern_occurrences o
JOIN workflow_history w USING (workflow_id)
LEFT JOIN LATERAL (
    SELECT left(coalesce(t.command, t.tool_name), 300) AS command
    FROM detected_signatures d
    JOIN tool_calls t ON t.workflow_id = d.workflow_id AND t.seq = d.step_seq
    WHERE d.workflow_id = o.workflow_id AND d.signature_id = o.pattern_id
    ORDER BY (t.success IS NOT FALSE) = CAST(:failed AS boolean), d.part, d.step_seq
    LIMIT 1
) step ON true
WHERE o.pattern_id = :pattern_id
  AND (NOT CAST(:failed AS boolean) OR o.succeeded IS FALSE
       OR EXISTS (SELECT FROM detected_signatures d
                  JOIN tool_calls t ON t.workflow_id = d.workflow_id AND t.seq = d.step_seq
                  WHERE d.workflow_id = o.workflow_id AND d.signature_id = o.pattern_id AND t.success IS FALSE))
ORDER BY o.occurred_at DESC, o.workflow_id
LIMIT :limit
