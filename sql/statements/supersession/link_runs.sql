-- Which better runs each call of a rank is shared with, by its own id or by that of its request.
INSERT INTO shared_links
SELECT supplier_id, tool_call_id, holder_id
FROM shared_calls
WHERE rank = :rank AND twin_id IS NOT NULL
UNION
SELECT call.supplier_id, call.tool_call_id, better.holder_id
FROM shared_calls AS call
JOIN shared_calls AS better USING (session_id, request_id)
WHERE call.rank = :rank AND better.rank > call.rank AND better.twin_id IS NULL;
