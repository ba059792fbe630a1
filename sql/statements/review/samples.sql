-- What patterns look like in their latest runs: a command, or the elements of a sequence in order.
SELECT p.pattern_id, left(coalesce(array_to_string(c.elements, ' → '), step.command), 200) AS sample
FROM operation_patterns p
LEFT JOIN sequence_catalog c ON c.signature = p.pattern_signature
LEFT JOIN LATERAL (
    SELECT t.command
    FROM (SELECT workflow_id, occurred_at
          FROM pattern_occurrences o
          WHERE o.pattern_id = p.pattern_id
          ORDER BY o.occurred_at DESC
          LIMIT :runs) AS r
    JOIN detected_signatures d USING (workflow_id)
    JOIN tool_calls t ON t.workflow_id = d.workflow_id AND t.seq = d.step_seq
    WHERE d.signature_id = p.pattern_id AND t.command IS NOT NULL
    ORDER BY r.occurred_at DESC, d.step_seq
    LIMIT 1
) AS step ON true
WHERE p.pattern_id = ANY (:pattern_ids::integer[])
