-- A pattern that waits for a decision is in review.
UPDATE operation_patterns p
SET automation_status = 'in_review', updated_at = now()
FROM pattern_approvals a
WHERE a.pattern_id = p.pattern_id AND a.status IN ('pending', 'deferred') AND p.automation_status = 'detected'
