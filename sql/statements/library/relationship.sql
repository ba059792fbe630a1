SELECT id, source_pattern_id, target_pattern_id, relationship_type, strength, description, context, discovered_at, updated_at
FROM pattern_relationships
WHERE source_pattern_id = :source AND target_pattern_id = :target AND relationship_type = :relationship_type
FOR UPDATE
