-- The latest runs of a pattern: what was executed there, else what was asked for. `failed` takes those in which it failed.
-- Only the latest runs are looked at, so that a pattern with a million of them is as quick as any other.
WITH recent AS (
    SELECT workflow_id, occurred_at, layer, hit_count, cost_basis, attributed_cost_usd, run_cost_usd, succeeded
    FROM pattern_occurrences
    WHERE pattern_id = :pattern_id::integer
    ORDER BY occurred_at DESC, workflow_id
    LIMIT :runs
)
SELECT r.workflow_id, r.occurred_at, r.layer, r.hit_count, r.cost_basis, r.attributed_cost_usd AS cost_usd, r.run_cost_usd,
       coalesce(step.command, left(w.error_message, 500), left(w.nl_input, 500)) AS evidence, w.status, w.project,
       step.error_message
FROM recent r
JOIN workflow_history w USING (workflow_id)
LEFT JOIN LATERAL (
    SELECT left(coalesce(t.command, t.tool_name), 500) AS command, t.success, left(t.error_message, 500) AS error_message
    FROM detected_signatures d
    JOIN tool_calls t ON t.workflow_id = d.workflow_id AND t.seq = d.step_seq
    WHERE d.workflow_id = r.workflow_id AND d.signature_id = :pattern_id::integer
    ORDER BY (t.success IS NOT FALSE) = :failed::boolean, d.part, d.step_seq
    LIMIT 1
) step ON true
WHERE (coalesce(step.success, r.succeeded) IS FALSE) = :failed::boolean
ORDER BY r.occurred_at DESC, r.workflow_id
LIMIT :limit
