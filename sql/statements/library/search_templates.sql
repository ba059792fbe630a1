-- Templates in force to be ranked by the likeness of their names to a query: the one of just that name, and the best of
-- those with all its words in their name, or anywhere. How well the words fit is told beside.
WITH wanted AS NOT MATERIALIZED (
    SELECT t.id, t.pattern_name, t.name_words, t.words, template_rank(t.usage_count, t.success_rate) AS rank
    FROM pattern_templates t
    WHERE NOT t.is_deprecated
      AND (:language::text IS NULL OR t.language = :language::text)
      AND (:pattern_type::text IS NULL OR t.pattern_type = :pattern_type::text)
      AND (:category::text IS NULL OR t.category = :category::text)
      AND t.confidence_score >= :min_confidence_score AND t.success_rate >= :min_success_rate
), found AS (
    SELECT id FROM wanted WHERE pattern_name = :query
    UNION
    (SELECT id FROM wanted WHERE name_words @@ :words::tsquery ORDER BY rank DESC, id LIMIT :limit)
    UNION
    (SELECT id FROM wanted WHERE words @@ :words::tsquery ORDER BY rank DESC, id LIMIT :limit)
)
SELECT t.id, t.pattern_name, ts_rank(t.words, :words::tsquery) AS fit
FROM found
JOIN pattern_templates t USING (id)
