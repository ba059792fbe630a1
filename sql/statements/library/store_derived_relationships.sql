-- What was found, unless people have said something of the same pair and kind.
INSERT INTO pattern_relationships AS r (source_pattern_id, target_pattern_id, relationship_type, strength, context)
SELECT f.source, f.target, f.type, f.strength, '{"derived": true}'
FROM unnest(:sources::uuid[], :targets::uuid[], :types::text[], :strengths::numeric[]) AS f (source, target, type, strength)
ON CONFLICT (source_pattern_id, target_pattern_id, relationship_type) DO UPDATE
SET strength = excluded.strength, updated_at = now()
WHERE r.context @> '{"derived": true}' AND r.strength <> excluded.strength
