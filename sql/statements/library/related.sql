SELECT *
FROM v_related_patterns
WHERE pattern_id = :pattern_id
  AND (:relationship_type::text IS NULL OR relationship_type = :relationship_type::text)
  AND strength >= :min_strength
ORDER BY strength DESC, relationship_type, related_id, direction
LIMIT :limit OFFSET :offset
