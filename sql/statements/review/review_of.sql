-- One row of the audit trail with the pattern it is about.
SELECT h.action, h.reviewer, h.to_status, p.pattern_signature, p.readable
FROM pattern_review_history h
JOIN operation_patterns p USING (pattern_id)
WHERE h.history_id = :history_id
