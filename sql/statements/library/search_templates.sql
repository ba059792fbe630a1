-- Templates in force with all words of a query, best first; how well the words fit is told beside.
SELECT v.*, found.fit
FROM (
    SELECT t.id, ts_rank(t.words, :words::tsquery) AS fit
    FROM pattern_templates t
    WHERE t.words @@ :words::tsquery AND NOT t.is_deprecated
      AND (:language::text IS NULL OR t.language = :language::text)
      AND (:pattern_type::text IS NULL OR t.pattern_type = :pattern_type::text)
      AND (:category::text IS NULL OR t.category = :category::text)
      AND t.confidence_score >= :min_confidence_score AND t.success_rate >= :min_success_rate
    ORDER BY template_rank(t.usage_count, t.success_rate) DESC, t.id
    LIMIT :limit
) AS found
JOIN v_templates v USING (id)
