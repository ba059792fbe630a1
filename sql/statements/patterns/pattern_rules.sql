SELECT e.layer, e.rule_id, e.matched_text, count(*) AS runs
FROM pattern_occurrences o
JOIN detection_evidence e USING (evidence_id)
WHERE o.pattern_id = :pattern_id
GROUP BY e.layer, e.rule_id, e.matched_text
ORDER BY count(*) DESC, e.layer, e.rule_id, e.matched_text
LIMIT :limit
