-- How one template does, else the best of those in force. Which they are is found first: the view counts for each row.
SELECT *
FROM v_pattern_effectiveness
WHERE id = ANY (ARRAY(
    SELECT t.id
    FROM pattern_templates t
    WHERE CASE WHEN :pattern_id::uuid IS NULL THEN NOT t.is_deprecated ELSE t.id = :pattern_id::uuid END
    ORDER BY template_rank(t.usage_count, t.success_rate) DESC, t.id
    LIMIT :limit OFFSET :offset
))
ORDER BY rank DESC, id
