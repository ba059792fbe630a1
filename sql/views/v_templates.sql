-- Templates as they are shown: every column but the words that they are searched by, and the state of their life.
DROP VIEW IF EXISTS v_templates;
CREATE VIEW v_templates AS
SELECT id, pattern_name, pattern_type, language, template_code, category, description, example_usage, source, confidence_score,
       usage_count, success_rate, complexity_score, maintainability_score, performance_score, parent_pattern_id,
       is_deprecated, deprecated_by_id, discovered_at, last_used_at, updated_at, created_at, created_by, tags, context,
       version, template_lifecycle(is_deprecated, last_used_at, created_at) AS lifecycle
FROM pattern_templates;
