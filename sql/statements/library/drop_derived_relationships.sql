-- Derived relationships that are no longer found; those of people stay.
DELETE FROM pattern_relationships r
WHERE r.context @> '{"derived": true}'
  AND NOT EXISTS (SELECT FROM unnest(:sources::uuid[], :targets::uuid[], :types::text[]) AS f (source, target, type)
                  WHERE (f.source, f.target, f.type) = (r.source_pattern_id, r.target_pattern_id, r.relationship_type))
