-- Patterns of the same runs, by the share of a pattern's latest runs that they were seen in too.
WITH recent AS (
    SELECT workflow_id
    FROM pattern_occurrences
    WHERE pattern_id = :pattern_id::integer
    ORDER BY occurred_at DESC
    LIMIT :runs
)
SELECT p.pattern_signature, p.readable, count(*)::float8 / (SELECT count(*) FROM recent) AS share
FROM recent r
JOIN pattern_occurrences o USING (workflow_id)
JOIN operation_patterns p USING (pattern_id)
WHERE o.pattern_id <> :pattern_id::integer
GROUP BY p.pattern_signature, p.readable
ORDER BY share DESC, p.pattern_signature COLLATE "C"
LIMIT :limit
