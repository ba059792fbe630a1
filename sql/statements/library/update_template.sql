-- The fields given in :fields, and no others; their names are those of the contract.
WITH wanted AS (
    SELECT (jsonb_populate_record(t, :fields::jsonb)).* FROM pattern_templates t WHERE t.id = :pattern_id
)
UPDATE pattern_templates t SET
    pattern_name = w.pattern_name, pattern_type = w.pattern_type, language = w.language, template_code = w.template_code,
    category = w.category, description = w.description, example_usage = w.example_usage,
    confidence_score = w.confidence_score, complexity_score = w.complexity_score,
    maintainability_score = w.maintainability_score, performance_score = w.performance_score,
    parent_pattern_id = w.parent_pattern_id, is_deprecated = w.is_deprecated, deprecated_by_id = w.deprecated_by_id,
    tags = w.tags, context = w.context, version = t.version + 1, updated_at = now()
FROM wanted w
WHERE t.id = w.id
