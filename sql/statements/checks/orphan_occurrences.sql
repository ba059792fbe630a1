-- Occurrences that nothing detected stands behind, or whose run counts elsewhere.
SELECT p.pattern_signature, o.workflow_id, o.layer
FROM pattern_occurrences o
JOIN operation_patterns p USING (pattern_id)
JOIN workflow_history w USING (workflow_id)
WHERE o.occurred_at >= :window_start AND o.occurred_at < :window_end
  AND (w.superseded_by IS NOT NULL
       OR (o.layer <> 'sequence' AND NOT EXISTS (
               SELECT FROM detected_signatures d
               WHERE d.workflow_id = o.workflow_id AND d.signature_id = o.pattern_id)))
ORDER BY p.pattern_signature, o.workflow_id
LIMIT 20
