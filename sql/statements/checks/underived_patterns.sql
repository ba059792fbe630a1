-- Published counts that are not the sums of the days. Compared while nothing waits to be recomputed.
WITH counted AS (
    SELECT pattern_id, sum(occurrences) AS occurrences FROM pattern_daily_statistics GROUP BY pattern_id
)
SELECT p.pattern_signature, p.occurrence_count AS published, coalesce(c.occurrences, 0) AS derived
FROM operation_patterns p
LEFT JOIN counted c USING (pattern_id)
WHERE p.occurrence_count <> coalesce(c.occurrences, 0)
ORDER BY p.pattern_signature
LIMIT 20
