-- The distinct commands of the steps that a pattern was seen in, of its latest runs. Those of a sequence are the steps with
-- one of its elements: command templates, or the signature that fails and passes.
WITH recent AS (
    SELECT workflow_id
    FROM pattern_occurrences
    WHERE pattern_id = :pattern_id::integer
    ORDER BY occurred_at DESC
    LIMIT :runs
), element AS (
    SELECT unnest(c.elements) AS name
    FROM signatures s
    JOIN sequence_catalog c ON c.signature = s.signature
    WHERE s.signature_id = :pattern_id::integer
)
SELECT t.tool_name, left(t.command, :length) AS command
FROM recent r
JOIN detected_signatures d USING (workflow_id)
JOIN tool_calls t ON t.workflow_id = d.workflow_id AND t.seq = d.step_seq
WHERE t.command IS NOT NULL
  AND (d.signature_id = :pattern_id::integer
       OR d.signature_id = ANY (ARRAY(SELECT s.signature_id FROM element e JOIN signatures s ON s.signature = e.name))
       OR d.template_id = ANY (ARRAY(SELECT c.template_id FROM element e JOIN command_templates c ON c.template = e.name)))
GROUP BY t.tool_name, left(t.command, :length)
ORDER BY count(*) DESC, 2
LIMIT :limit
