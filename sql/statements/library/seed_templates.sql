-- Templates to begin with, by natural key; one that is there, in whatever state, stays as it is.
INSERT INTO pattern_templates (pattern_name, pattern_type, language, template_code, category, description, example_usage,
    source, complexity_score, maintainability_score, performance_score, tags)
SELECT s.pattern_name, s.pattern_type, s.language, s.template_code, s.category, s.description, s.example_usage, 'seed',
       s.complexity_score, s.maintainability_score, s.performance_score, s.tags
FROM jsonb_to_recordset(:templates::jsonb) AS s (pattern_name text, pattern_type text, language text, template_code text,
    category text, description text, example_usage text, complexity_score integer, maintainability_score numeric,
    performance_score numeric, tags text[])
ON CONFLICT (pattern_name, pattern_type, language) DO NOTHING
