-- Relationships as each of their two templates sees them.
DROP VIEW IF EXISTS v_related_patterns;
CREATE VIEW v_related_patterns AS
SELECT r.pattern_id, r.related_id, t.pattern_name AS related_name, t.pattern_type AS related_type,
       t.language AS related_language, t.is_deprecated AS related_is_deprecated, r.relationship_type,
       CASE WHEN r.relationship_type IN ('similar', 'conflicts') THEN 'both' ELSE r.direction END AS direction,
       r.strength, r.description, r.context, r.discovered_at, r.updated_at
FROM (
    SELECT source_pattern_id AS pattern_id, target_pattern_id AS related_id, 'outgoing' AS direction, relationship_type,
           strength, description, context, discovered_at, updated_at
    FROM pattern_relationships
    UNION ALL
    SELECT target_pattern_id, source_pattern_id, 'incoming', relationship_type, strength, description, context,
           discovered_at, updated_at
    FROM pattern_relationships
) AS r
JOIN pattern_templates t ON t.id = r.related_id;
