-- A template that was never used.
DELETE FROM pattern_templates t
WHERE t.id = :pattern_id AND NOT EXISTS (SELECT FROM pattern_usage_events e WHERE e.pattern_id = t.id)
