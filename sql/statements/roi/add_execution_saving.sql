-- The money is filled in with the summary, from the baseline. Tokens: what an occurrence took the model until now.
INSERT INTO cost_savings_log (
    execution_id, optimization_type, workflow_id, pattern_id, baseline_tokens, actual_tokens, saved_tokens, saved_at)
SELECT e.execution_id, 'pattern_offload', e.workflow_id, e.pattern_id, t.baseline, e.tokens,
       CASE WHEN e.success THEN t.baseline ELSE 0 END - e.tokens, e.executed_at
FROM pattern_executions e
JOIN operation_patterns p USING (pattern_id)
CROSS JOIN LATERAL (SELECT round(p.avg_tokens_with_llm)::bigint AS baseline) t
WHERE e.execution_id = :execution_id
