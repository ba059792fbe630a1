-- New templates, in the order given.
INSERT INTO pattern_templates (pattern_name, pattern_type, language, template_code, category, description, example_usage,
    source, confidence_score, complexity_score, maintainability_score, performance_score, parent_pattern_id, discovered_at,
    created_by, tags, context)
SELECT n.pattern_name, n.pattern_type, n.language, n.template_code, n.category, n.description, n.example_usage, n.source,
       n.confidence_score, n.complexity_score, n.maintainability_score, n.performance_score, n.parent_pattern_id,
       coalesce(n.discovered_at, now()), :actor, n.tags, n.context
FROM jsonb_to_recordset(:templates::jsonb) AS n (pattern_name text, pattern_type text, language text,
    template_code text, category text, description text, example_usage text, source text, confidence_score numeric,
    complexity_score integer, maintainability_score numeric, performance_score numeric, parent_pattern_id uuid,
    discovered_at timestamptz, tags text[], context jsonb, position integer)
ORDER BY n.position
RETURNING id, pattern_name, created_at, true AS inserted
