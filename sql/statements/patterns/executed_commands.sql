-- The distinct commands of the steps that a pattern, or an element of a sequence, was seen in, of its latest runs.
WITH recent AS (
    SELECT workflow_id
    FROM pattern_occurrences
    WHERE pattern_id = :pattern_id::integer
    ORDER BY occurred_at DESC
    LIMIT :runs
), seen AS (
    SELECT :pattern_id::integer AS signature_id
    UNION
    SELECT e.signature_id
    FROM signatures s
    JOIN sequence_catalog c ON c.signature = s.signature
    JOIN signatures e ON e.signature = ANY (c.elements)
    WHERE s.signature_id = :pattern_id::integer
)
SELECT t.tool_name, left(t.command, :length) AS command
FROM recent r
JOIN detected_signatures d USING (workflow_id)
JOIN seen USING (signature_id)
JOIN tool_calls t ON t.workflow_id = d.workflow_id AND t.seq = d.step_seq
WHERE t.command IS NOT NULL
GROUP BY t.tool_name, left(t.command, :length)
ORDER BY count(*) DESC, 2
LIMIT :limit
