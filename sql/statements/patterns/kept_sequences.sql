-- A sequence that a person looks at, or has decided upon, stays in the catalogue when it becomes rare.
SELECT c.signature
FROM sequence_catalog c
JOIN operation_patterns p ON p.pattern_signature = c.signature
JOIN pattern_approvals a USING (pattern_id)
