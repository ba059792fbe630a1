-- What people have said of which template extends which.
SELECT source_pattern_id::text AS source, target_pattern_id::text AS target
FROM pattern_relationships
WHERE relationship_type = 'extends' AND NOT context @> '{"derived": true}'
