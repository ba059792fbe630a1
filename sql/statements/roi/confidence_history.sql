SELECT change_id, old_confidence, new_confidence, reason, snapshot, changed_at
FROM pattern_confidence_history
WHERE pattern_id = :pattern_id
ORDER BY change_id
