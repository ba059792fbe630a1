-- The categories that patterns have, found by skipping from one to the next in the index.
WITH RECURSIVE types AS (
    (SELECT pattern_type FROM operation_patterns ORDER BY pattern_type LIMIT 1)
    UNION ALL
    SELECT (SELECT p.pattern_type FROM operation_patterns p WHERE p.pattern_type > t.pattern_type ORDER BY p.pattern_type LIMIT 1)
    FROM types t
    WHERE t.pattern_type IS NOT NULL
)
SELECT pattern_type FROM types WHERE pattern_type IS NOT NULL
