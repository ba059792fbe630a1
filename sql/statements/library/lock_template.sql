-- A template as it is, kept from others until the transaction ends.
SELECT v.*
FROM pattern_templates t
JOIN v_templates v USING (id)
WHERE t.id = :pattern_id
FOR NO KEY UPDATE OF t
