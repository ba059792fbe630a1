-- What each model read and wrote, and how much of it has a cost; a run counts for the model that it used most.
SELECT model_used AS model,
       count(*) AS runs,
       coalesce(sum(total_tokens), 0)::bigint AS tokens,
       coalesce(sum(total_tokens) FILTER (WHERE cost_basis = 'billed'), 0)::bigint AS billed_tokens,
       coalesce(sum(total_tokens) FILTER (WHERE cost_basis = 'priced'), 0)::bigint AS priced_tokens,
       coalesce(sum(total_tokens) FILTER (WHERE cost_basis = 'unpriced'), 0)::bigint AS unpriced_tokens,
       sum(coalesce(actual_cost_total, estimated_cost_total)) FILTER (WHERE cost_basis <> 'unpriced') AS cost_usd
FROM workflow_history
WHERE superseded_by IS NULL AND (model_used IS NOT NULL OR total_tokens > 0)
GROUP BY model_used
ORDER BY tokens DESC, model_used;
