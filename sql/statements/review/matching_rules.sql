-- Which rules saw a pattern in its latest runs, and in which words.
WITH recent AS (
    SELECT evidence_id
    FROM pattern_occurrences
    WHERE pattern_id = :pattern_id::integer
    ORDER BY occurred_at DESC
    LIMIT :runs
)
SELECT e.layer, e.rule_id, left(e.matched_text, 200) AS matched_text, count(*) AS runs
FROM recent
JOIN detection_evidence e USING (evidence_id)
GROUP BY e.layer, e.rule_id, e.matched_text
ORDER BY count(*) DESC, e.layer, e.rule_id, e.matched_text
LIMIT :limit
