INSERT INTO cost_savings_log (
    idempotency_key, content_hash, optimization_type, workflow_id, pattern_id, baseline_tokens, actual_tokens,
    saved_tokens, cost_saved_usd, notes, reported_by, saved_at)
VALUES (
    :idempotency_key, :content_hash, :optimization_type,
    (SELECT w.workflow_id FROM workflow_history w WHERE w.workflow_id = :workflow_id::text), :pattern_id,
    :baseline_tokens::bigint, :actual_tokens::bigint, :baseline_tokens::bigint - :actual_tokens::bigint,
    :cost_saved_usd, :notes, :reported_by, coalesce(:saved_at::timestamptz, now()))
RETURNING saving_id
