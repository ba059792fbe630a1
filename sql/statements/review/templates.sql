-- The command templates behind a pattern's latest runs, commonest first.
WITH recent AS (
    SELECT workflow_id
    FROM pattern_occurrences
    WHERE pattern_id = :pattern_id::integer
    ORDER BY occurred_at DESC
    LIMIT :runs
)
SELECT left(t.template, 500) AS template, count(*) AS runs
FROM recent r
JOIN detected_signatures d USING (workflow_id)
JOIN command_templates t USING (template_id)
WHERE d.signature_id = :pattern_id::integer
GROUP BY t.template
ORDER BY count(*) DESC, t.template
LIMIT :limit
