SELECT l.saving_id, l.idempotency_key, l.optimization_type, p.pattern_signature, l.workflow_id, l.baseline_tokens,
       l.actual_tokens, l.saved_tokens, l.cost_saved_usd, l.notes, l.reported_by, l.saved_at
FROM cost_savings_log l
LEFT JOIN operation_patterns p USING (pattern_id)
WHERE l.saving_id = :saving_id
