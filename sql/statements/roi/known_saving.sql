SELECT saving_id, content_hash FROM cost_savings_log WHERE idempotency_key = :idempotency_key
