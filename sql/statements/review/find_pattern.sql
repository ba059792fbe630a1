-- A pattern by its signature or its number, and whether it is in the queue.
SELECT p.pattern_id, p.pattern_signature, a.version
FROM operation_patterns p
LEFT JOIN pattern_approvals a ON a.pattern_id = p.pattern_id
WHERE p.pattern_signature = :reference::text
   OR p.pattern_id = CASE WHEN :reference::text ~ '^[0-9]{1,9}$' THEN (:reference::text)::integer END
