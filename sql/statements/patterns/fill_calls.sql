-- Steps that claim more than their run cost are scaled to it; a run without a cost is worth its priced steps.
ANALYZE stage_runs;
INSERT INTO stage_calls
SELECT workflow_id, t.seq,
       trunc(t.cost_usd * least(1, r.cost / nullif(sum(t.cost_usd) OVER (PARTITION BY workflow_id), 0)), 12),
       coalesce(t.input_tokens + t.output_tokens, t.input_tokens, t.output_tokens), t.duration_seconds
FROM stage_runs r
JOIN tool_calls t USING (workflow_id)
WHERE r.has_steps;
ANALYZE stage_calls;
ANALYZE stage_sequence_steps;
UPDATE stage_runs r SET cost = c.cost
FROM (SELECT workflow_id, sum(cost) AS cost FROM stage_calls GROUP BY workflow_id) c
WHERE r.cost IS NULL AND c.workflow_id = r.workflow_id
