-- Calls of a rank that have the id of a better call of their session.
UPDATE shared_calls AS call
SET twin_id = pair.supplier_id, twin_call_id = pair.tool_call_id, holder_id = pair.holder_id
FROM (
    SELECT DISTINCT ON (call.supplier_id, call.tool_call_id)
           call.supplier_id AS of_supplier, better.supplier_id, better.tool_call_id, better.holder_id
    FROM shared_calls AS call
    JOIN shared_calls AS better USING (session_id, tool_call_id)
    WHERE call.rank = :rank AND NOT call.is_numbered AND better.rank > call.rank AND better.twin_id IS NULL
    ORDER BY call.supplier_id, call.tool_call_id, better.rank DESC, better.supplier_id COLLATE "C"
) AS pair
WHERE call.supplier_id = pair.of_supplier AND call.tool_call_id = pair.tool_call_id;
