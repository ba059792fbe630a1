-- Published counts that are not the sums of the days. Compared while nothing waits to be recomputed.
WITH counted AS (
    SELECT s.pattern_id, sum(s.occurrences) AS occurrences
    FROM pattern_daily_statistics s
    JOIN active_versions a ON a.stage = 'detection' AND a.version = s.detection_version
    JOIN active_versions c ON c.stage = 'catalogue' AND c.version = s.catalogue_version
    GROUP BY s.pattern_id
)
SELECT p.pattern_signature, p.occurrence_count AS published, coalesce(c.occurrences, 0) AS derived
FROM operation_patterns p
LEFT JOIN counted c USING (pattern_id)
WHERE p.occurrence_count <> coalesce(c.occurrences, 0)
ORDER BY p.pattern_signature
LIMIT 20
