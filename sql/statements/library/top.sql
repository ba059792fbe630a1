-- The best templates, of one type and language if asked for.
SELECT *
FROM v_top_patterns
WHERE (:pattern_type::text IS NULL OR pattern_type = :pattern_type::text)
  AND (:language::text IS NULL OR language = :language::text)
ORDER BY rank DESC, id
LIMIT :limit OFFSET :offset
