SELECT execution_id, content_hash FROM pattern_executions WHERE idempotency_key = :idempotency_key
