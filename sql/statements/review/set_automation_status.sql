UPDATE operation_patterns
SET automation_status = :automation_status, updated_at = now()
WHERE pattern_id = :pattern_id AND automation_status <> :automation_status
