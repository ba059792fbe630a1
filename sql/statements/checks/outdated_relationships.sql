-- Derived relationships with a deprecated template.
SELECT r.source_pattern_id, r.target_pattern_id, r.relationship_type
FROM pattern_relationships r
JOIN pattern_templates t ON t.id IN (r.source_pattern_id, r.target_pattern_id) AND t.is_deprecated
WHERE r.context @> '{"derived": true}'
ORDER BY r.source_pattern_id
LIMIT 20
