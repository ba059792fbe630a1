-- What a sequence is made of, in order: command templates, or the signature that fails and passes.
SELECT unnest(c.elements) AS element
FROM operation_patterns p
JOIN sequence_catalog c ON c.signature = p.pattern_signature
WHERE p.pattern_id = :pattern_id::integer
