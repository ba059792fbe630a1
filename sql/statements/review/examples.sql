-- The latest runs of a pattern, with the steps that it was seen in, else with what was asked for. `failed` takes those in
-- which it failed. Of a sequence the steps are those with one of its elements (command templates, or the signature that
-- fails and passes), in the order in which they were run. Only the latest runs are looked at, so that a pattern with a
-- million of them is as quick as any other.
WITH recent AS (
    SELECT workflow_id, occurred_at, layer, hit_count, cost_basis, attributed_cost_usd, run_cost_usd, succeeded
    FROM pattern_occurrences
    WHERE pattern_id = :pattern_id::integer
    ORDER BY occurred_at DESC, workflow_id
    LIMIT :runs
), element AS (
    SELECT unnest(c.elements) AS name
    FROM signatures s
    JOIN sequence_catalog c ON c.signature = s.signature
    WHERE s.signature_id = :pattern_id::integer
)
SELECT r.workflow_id, r.occurred_at, r.layer, r.hit_count, r.cost_basis, r.attributed_cost_usd AS cost_usd, r.run_cost_usd,
       coalesce(steps.commands, left(w.error_message, 500), left(w.nl_input, 500)) AS evidence, w.status, w.project,
       steps.error_message, left(w.nl_input, 200) AS task
FROM recent r
JOIN workflow_history w USING (workflow_id)
LEFT JOIN LATERAL (
    SELECT string_agg(step.command, E'\n' ORDER BY step.seq) AS commands, min(step.error_message) AS error_message,
           CASE WHEN count(*) = 1 THEN bool_and(step.success) END AS success
    FROM (
        SELECT t.seq, t.success, left(coalesce(t.command, t.tool_name), 500) AS command, left(t.error_message, 500) AS error_message
        FROM tool_calls t
        JOIN (
            SELECT d.step_seq, min(d.part) AS part
            FROM detected_signatures d
            WHERE d.workflow_id = r.workflow_id
              AND (d.signature_id = :pattern_id::integer
                   OR d.signature_id = ANY (ARRAY(SELECT s.signature_id FROM element e JOIN signatures s ON s.signature = e.name))
                   OR d.template_id = ANY (ARRAY(SELECT c.template_id FROM element e JOIN command_templates c ON c.template = e.name)))
            GROUP BY d.step_seq
        ) AS d ON t.seq = d.step_seq
        WHERE t.workflow_id = r.workflow_id
        ORDER BY CASE WHEN :steps::integer = 1 THEN (t.success IS NOT FALSE) = :failed::boolean END, d.part, t.seq
        LIMIT :steps
    ) AS step
) AS steps ON true
WHERE (coalesce(steps.success, r.succeeded) IS FALSE) = :failed::boolean
ORDER BY r.occurred_at DESC, r.workflow_id
LIMIT :limit
