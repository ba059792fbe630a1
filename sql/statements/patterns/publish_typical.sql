-- What the pattern's recent runs have in common: for the reader, not for any figure.
WITH recent AS MATERIALIZED (
    SELECT p.pattern_id, o.workflow_id, c.matched_characteristics AS traits
    FROM operation_patterns p
    CROSS JOIN LATERAL (
        SELECT workflow_id FROM pattern_occurrences o
        WHERE o.pattern_id = p.pattern_id
        ORDER BY o.occurred_at DESC, o.workflow_id
        LIMIT 50
    ) o
    JOIN workflow_characteristics c USING (workflow_id)
),
ranked AS (
    SELECT pattern_id, kind, item, row_number() OVER (PARTITION BY pattern_id, kind ORDER BY count(*) DESC, item) AS place
    FROM (
        SELECT pattern_id, 'keyword' AS kind, jsonb_array_elements_text(traits -> 'keywords') AS item FROM recent
        UNION ALL
        SELECT pattern_id, 'file', jsonb_array_elements_text(traits -> 'files_mentioned') FROM recent
        UNION ALL
        SELECT r.pattern_id, 'operation', s.pattern_signature
        FROM recent r
        JOIN pattern_occurrences o USING (workflow_id)
        JOIN operation_patterns s ON s.pattern_id = o.pattern_id
        WHERE o.pattern_id <> r.pattern_id
    ) items
    GROUP BY pattern_id, kind, item
),
typical AS (
    SELECT pattern_id,
           string_agg(item, ', ' ORDER BY place) FILTER (WHERE kind = 'keyword') AS keywords,
           jsonb_agg(item ORDER BY place) FILTER (WHERE kind = 'operation') AS operations,
           jsonb_agg(item ORDER BY place) FILTER (WHERE kind = 'file') AS files
    FROM ranked
    WHERE place <= 5
    GROUP BY pattern_id
)
UPDATE operation_patterns p SET
    typical_input_pattern = t.keywords,
    typical_operations = coalesce(t.operations, '[]'),
    typical_files_accessed = coalesce(t.files, '[]')
FROM operation_patterns q
LEFT JOIN typical t USING (pattern_id)
WHERE p.pattern_id = q.pattern_id
