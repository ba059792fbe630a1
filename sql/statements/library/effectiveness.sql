SELECT *
FROM v_pattern_effectiveness
WHERE (:pattern_id::uuid IS NULL AND NOT is_deprecated OR id = :pattern_id::uuid)
ORDER BY rank DESC, id
LIMIT :limit OFFSET :offset
