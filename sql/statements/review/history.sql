SELECT history_id, action, reviewer, notes, from_status, to_status, evidence_hash, created_at
FROM pattern_review_history
WHERE pattern_id = :pattern_id
ORDER BY history_id
