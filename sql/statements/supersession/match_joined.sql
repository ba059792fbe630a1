-- Two superseded runs of one rank with the same call: it counts once.
UPDATE shared_calls AS call
SET twin_id = pair.first_supplier, twin_call_id = pair.tool_call_id, holder_id = pair.first_holder
FROM (
    SELECT supplier_id, tool_call_id,
           first_value(supplier_id) OVER same_call AS first_supplier,
           first_value(holder_id) OVER same_call AS first_holder
    FROM shared_calls
    WHERE rank = :rank AND twin_id IS NULL AND NOT is_numbered AND holder_id <> supplier_id
    WINDOW same_call AS (PARTITION BY session_id, tool_call_id ORDER BY supplier_id COLLATE "C")
) AS pair
WHERE call.supplier_id = pair.supplier_id
  AND call.tool_call_id = pair.tool_call_id
  AND pair.supplier_id <> pair.first_supplier;
