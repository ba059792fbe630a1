-- A queued pattern by its signature or its number.
SELECT *
FROM v_queue_entries
WHERE pattern_id = (
    SELECT p.pattern_id
    FROM operation_patterns p
    WHERE p.pattern_signature = :reference::text
       OR p.pattern_id = CASE WHEN :reference::text ~ '^[0-9]{1,9}$' THEN (:reference::text)::integer END
)
