-- What is counted once although two sources tell of it.
SELECT count(*) AS runs,
       coalesce(sum(run.step_count), 0)::bigint AS calls,
       coalesce(sum(same.calls), 0)::bigint AS same_calls,
       coalesce(sum(run.total_tokens), 0)::bigint AS tokens,
       coalesce(sum(coalesce(run.actual_cost_total, run.estimated_cost_total)), 0) AS usd
FROM workflow_history AS run
CROSS JOIN LATERAL (SELECT count(*) AS calls FROM tool_calls AS call WHERE call.workflow_id = run.workflow_id) AS same
WHERE run.superseded_by IS NOT NULL;
