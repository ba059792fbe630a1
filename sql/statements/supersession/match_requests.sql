-- What is left of a model request's calls, in their order: ids of two systems never meet, but the request is the same.
WITH left_over AS (
    SELECT supplier_id, tool_call_id, session_id, request_id, tool_name, rank,
           row_number() OVER (PARTITION BY supplier_id, request_id, tool_name ORDER BY seq) AS place
    FROM shared_calls
    WHERE rank = :rank AND twin_id IS NULL AND request_id IS NOT NULL
),
better AS (
    SELECT requested.supplier_id AS of_supplier, call.supplier_id, call.tool_call_id, call.holder_id, call.request_id,
           call.tool_name,
           row_number() OVER (
               PARTITION BY requested.supplier_id, call.request_id, call.tool_name
               ORDER BY call.rank DESC, call.supplier_id COLLATE "C", call.seq
           ) AS place
    FROM (SELECT DISTINCT supplier_id, session_id, request_id, tool_name, rank FROM left_over) AS requested
    JOIN shared_calls AS call
        ON call.session_id = requested.session_id
        AND call.request_id = requested.request_id
        AND call.tool_name IS NOT DISTINCT FROM requested.tool_name
        AND call.rank > requested.rank
        AND call.twin_id IS NULL
    WHERE NOT EXISTS (
        SELECT FROM shared_calls AS matched
        WHERE matched.supplier_id = requested.supplier_id
          AND matched.twin_id = call.supplier_id
          AND matched.twin_call_id = call.tool_call_id
    )
)
UPDATE shared_calls AS call
SET twin_id = better.supplier_id, twin_call_id = better.tool_call_id, holder_id = better.holder_id
FROM left_over
JOIN better
    ON better.of_supplier = left_over.supplier_id
    AND better.request_id = left_over.request_id
    AND better.tool_name IS NOT DISTINCT FROM left_over.tool_name
    AND better.place = left_over.place
WHERE call.supplier_id = left_over.supplier_id AND call.tool_call_id = left_over.tool_call_id;
