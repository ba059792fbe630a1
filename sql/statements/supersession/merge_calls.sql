-- What a better source does not tell of a call, the others do, the better ones first.
WITH told AS (
    SELECT DISTINCT ON (shared.twin_id, shared.twin_call_id, member.key)
           shared.twin_id, shared.twin_call_id, member.key, member.value
    FROM shared_calls AS shared
    JOIN tool_calls AS call ON call.workflow_id = shared.supplier_id AND call.tool_call_id = shared.tool_call_id
    CROSS JOIN LATERAL jsonb_each(to_jsonb(call)) AS member
    WHERE shared.twin_id IS NOT NULL
      AND member.value <> 'null'
      AND member.key IN (
          'tool_name', 'tool_params', 'command', 'cwd', 'called_at', 'completed_at', 'duration_seconds', 'success',
          'exit_code', 'error_message', 'input_tokens', 'output_tokens', 'cost_usd', 'request_id', 'output_excerpt')
    ORDER BY shared.twin_id, shared.twin_call_id, member.key, shared.rank DESC, shared.supplier_id COLLATE "C",
             shared.tool_call_id COLLATE "C"
),
filled AS (
    SELECT told.twin_id, told.twin_call_id,
           jsonb_object_agg(told.key, told.value) AS present, jsonb_object_agg(told.key, NULL::text) AS before
    FROM told
    JOIN tool_calls AS call ON call.workflow_id = told.twin_id AND call.tool_call_id = told.twin_call_id
    WHERE to_jsonb(call) -> told.key = 'null'
    GROUP BY told.twin_id, told.twin_call_id
)
UPDATE tool_calls AS call
SET (tool_name, tool_params, command, cwd, called_at, completed_at, duration_seconds, success, exit_code, error_message,
     input_tokens, output_tokens, cost_usd, request_id, output_excerpt) = (
        SELECT tool_name, tool_params, command, cwd, called_at, completed_at, duration_seconds, success, exit_code,
               error_message, input_tokens, output_tokens, cost_usd, request_id, output_excerpt
        FROM jsonb_populate_record(call, filled.present)
    ),
    as_supplied = filled.before
FROM filled
WHERE call.workflow_id = filled.twin_id AND call.tool_call_id = filled.twin_call_id;
