-- Templates in force with all of some tags and at least some scores, best first.
SELECT v.*
FROM (
    SELECT t.id, template_rank(t.usage_count, t.success_rate) AS rank
    FROM pattern_templates t
    WHERE NOT t.is_deprecated
      AND (:tags::text[] IS NULL OR t.tags @> :tags::text[])
      AND (:language::text IS NULL OR t.language = :language::text)
      AND (:pattern_type::text IS NULL OR t.pattern_type = :pattern_type::text)
      AND (:category::text IS NULL OR t.category = :category::text)
      AND (:source::text IS NULL OR t.source = :source::text)
      AND t.confidence_score >= :min_confidence_score AND t.success_rate >= :min_success_rate
      AND t.usage_count >= :min_usage_count
    ORDER BY template_rank(t.usage_count, t.success_rate) DESC, t.id
    LIMIT :limit OFFSET :offset
) AS found
JOIN v_templates v USING (id)
ORDER BY found.rank DESC, v.id
