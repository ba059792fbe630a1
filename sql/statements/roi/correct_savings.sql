UPDATE cost_savings_log l SET cost_saved_usd = r.cost_saved_usd
FROM jsonb_to_recordset(:savings::jsonb) AS r (execution_id bigint, cost_saved_usd numeric)
WHERE l.execution_id = r.execution_id
