-- What a person says of two templates; it is no longer one that the pipeline found and may replace.
INSERT INTO pattern_relationships AS r (source_pattern_id, target_pattern_id, relationship_type, strength, description, context)
VALUES (:source, :target, :relationship_type, :strength, :description, :context::jsonb - 'derived')
ON CONFLICT (source_pattern_id, target_pattern_id, relationship_type) DO UPDATE SET
    strength = excluded.strength, description = excluded.description, context = excluded.context, updated_at = now()
RETURNING id, source_pattern_id, target_pattern_id, relationship_type, strength, description, context, discovered_at,
    updated_at, (xmax = 0) AS created
