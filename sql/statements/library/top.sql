-- The best templates, of one type and language if asked for. Which they are is found first: the view counts for each row.
SELECT *
FROM v_top_patterns
WHERE id = ANY (ARRAY(
    SELECT t.id
    FROM pattern_templates t
    WHERE NOT t.is_deprecated
      AND (:pattern_type::text IS NULL OR t.pattern_type = :pattern_type::text)
      AND (:language::text IS NULL OR t.language = :language::text)
    ORDER BY template_rank(t.usage_count, t.success_rate) DESC, t.id
    LIMIT :limit OFFSET :offset
))
ORDER BY rank DESC, id
