-- One row per (pattern, run): how often, on what evidence, and the share of the cost that is really its own.
INSERT INTO pattern_occurrences (
    pattern_id, workflow_id, occurred_at, evidence_id, layer, similarity_score, hit_count, secondary_hits, cost_basis,
    attributed_cost_usd, portfolio_cost_usd, run_cost_usd, attributed_tokens, attributed_seconds, succeeded,
    detection_version, catalogue_version)
WITH operation_hit AS (
    SELECT d.workflow_id, d.signature_id, d.evidence_id, d.step_seq, d.part, c.cost, c.tokens, c.seconds,
           d.part = 0 AS names, s.step_seq IS NULL AS owns
    FROM detected_signatures d
    JOIN stage_calls c USING (workflow_id, step_seq)
    LEFT JOIN stage_sequence_steps s ON s.workflow_id = d.workflow_id AND s.step_seq = d.step_seq
    WHERE d.event_time >= :window_start AND d.event_time < :window_end
),
executed AS (
    SELECT workflow_id, signature_id, 'step' AS layer, 100 AS similarity_score,
           (array_agg(evidence_id ORDER BY step_seq, part))[1] AS evidence_id,
           count(*) AS hits, count(*) FILTER (WHERE NOT names) AS secondary_hits,
           -- Seen only beside other operations: it costs nothing of its own, if the calls are priced at all.
           CASE WHEN bool_or(names) THEN sum(cost) FILTER (WHERE names) ELSE 0 * sum(cost) END AS cost,
           sum(cost) FILTER (WHERE names AND owns) AS portfolio_cost,
           sum(tokens) FILTER (WHERE names) AS tokens,
           sum(seconds) FILTER (WHERE names) AS seconds
    FROM operation_hit
    GROUP BY workflow_id, signature_id
    UNION ALL
    SELECT workflow_id, signature_id, 'sequence', 100, NULL,
           count(DISTINCT occurrence), 0, sum(cost), sum(cost), sum(tokens), sum(seconds)
    FROM stage_sequence_steps
    JOIN stage_calls USING (workflow_id, step_seq)
    GROUP BY workflow_id, signature_id
),
stated AS (
    SELECT d.workflow_id, d.signature_id, e.layer, d.evidence_id,
           CASE e.layer WHEN 'task' THEN 100 WHEN 'error' THEN 80 ELSE 60 END AS similarity_score,
           count(*) OVER (PARTITION BY d.workflow_id) AS shares
    FROM detected_signatures d
    JOIN detection_evidence e USING (evidence_id)
    WHERE d.step_seq = -1 AND d.event_time >= :window_start AND d.event_time < :window_end
),
occurrence AS (
    SELECT workflow_id, signature_id, layer, similarity_score, evidence_id, hits, secondary_hits,
           CASE WHEN cost IS NULL THEN 'unpriced' ELSE 'step' END AS cost_basis,
           cost, CASE WHEN cost IS NOT NULL THEN coalesce(portfolio_cost, 0) END AS portfolio_cost, tokens, seconds
    FROM executed
    UNION ALL
    SELECT s.workflow_id, s.signature_id, s.layer, s.similarity_score, s.evidence_id, 1, 0,
           CASE WHEN r.has_steps THEN 'intent' WHEN r.cost IS NULL THEN 'unpriced' ELSE 'workflow' END,
           CASE WHEN NOT r.has_steps THEN trunc(r.cost / s.shares, 12) END,
           CASE WHEN NOT r.has_steps THEN trunc(r.cost / s.shares, 12) END,
           CASE WHEN NOT r.has_steps THEN r.total_tokens::numeric / s.shares END,
           CASE WHEN NOT r.has_steps THEN r.duration_seconds END
    FROM stated s
    JOIN stage_runs r USING (workflow_id)
    LEFT JOIN executed e USING (workflow_id, signature_id)
    WHERE e.workflow_id IS NULL
)
SELECT o.signature_id, o.workflow_id, r.event_time, o.evidence_id, o.layer, o.similarity_score, o.hits,
       o.secondary_hits, o.cost_basis, o.cost, o.portfolio_cost, r.cost, o.tokens, o.seconds,
       CASE r.status WHEN 'completed' THEN true WHEN 'failed' THEN false END,
       :detection_version, :catalogue_version
FROM occurrence o
JOIN stage_runs r USING (workflow_id)
ORDER BY o.signature_id, o.workflow_id
