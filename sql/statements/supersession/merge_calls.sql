-- What a better source does not tell of a call, the others do, the better ones first.
WITH told AS (
    SELECT shared.twin_id, shared.twin_call_id,
           (array_agg(call.tool_name ORDER BY place) FILTER (WHERE call.tool_name IS NOT NULL))[1] AS tool_name,
           (array_agg(call.tool_params ORDER BY place) FILTER (WHERE call.tool_params IS NOT NULL))[1] AS tool_params,
           (array_agg(call.command ORDER BY place) FILTER (WHERE call.command IS NOT NULL))[1] AS command,
           (array_agg(call.cwd ORDER BY place) FILTER (WHERE call.cwd IS NOT NULL))[1] AS cwd,
           (array_agg(call.called_at ORDER BY place) FILTER (WHERE call.called_at IS NOT NULL))[1] AS called_at,
           (array_agg(call.completed_at ORDER BY place) FILTER (WHERE call.completed_at IS NOT NULL))[1] AS completed_at,
           (array_agg(call.duration_seconds ORDER BY place) FILTER (WHERE call.duration_seconds IS NOT NULL))[1] AS duration_seconds,
           (array_agg(call.success ORDER BY place) FILTER (WHERE call.success IS NOT NULL))[1] AS success,
           (array_agg(call.exit_code ORDER BY place) FILTER (WHERE call.exit_code IS NOT NULL))[1] AS exit_code,
           (array_agg(call.error_message ORDER BY place) FILTER (WHERE call.error_message IS NOT NULL))[1] AS error_message,
           (array_agg(call.input_tokens ORDER BY place) FILTER (WHERE call.input_tokens IS NOT NULL))[1] AS input_tokens,
           (array_agg(call.output_tokens ORDER BY place) FILTER (WHERE call.output_tokens IS NOT NULL))[1] AS output_tokens,
           (array_agg(call.cost_usd ORDER BY place) FILTER (WHERE call.cost_usd IS NOT NULL))[1] AS cost_usd,
           (array_agg(call.request_id ORDER BY place) FILTER (WHERE call.request_id IS NOT NULL))[1] AS request_id,
           (array_agg(call.output_excerpt ORDER BY place) FILTER (WHERE call.output_excerpt IS NOT NULL))[1] AS output_excerpt
    FROM (
        SELECT *, row_number() OVER (
            PARTITION BY twin_id, twin_call_id
            ORDER BY rank DESC, supplier_id COLLATE "C", tool_call_id COLLATE "C"
        ) AS place
        FROM shared_calls
        WHERE twin_id IS NOT NULL
    ) AS shared
    JOIN tool_calls AS call ON call.workflow_id = shared.supplier_id AND call.tool_call_id = shared.tool_call_id
    GROUP BY shared.twin_id, shared.twin_call_id
),
news AS (
    SELECT told.*, filled.before
    FROM told
    JOIN tool_calls AS call ON call.workflow_id = told.twin_id AND call.tool_call_id = told.twin_call_id
    CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(name, NULL::text) AS before
        FROM (VALUES
            ('tool_name', call.tool_name IS NULL AND told.tool_name IS NOT NULL),
            ('tool_params', call.tool_params IS NULL AND told.tool_params IS NOT NULL),
            ('command', call.command IS NULL AND told.command IS NOT NULL),
            ('cwd', call.cwd IS NULL AND told.cwd IS NOT NULL),
            ('called_at', call.called_at IS NULL AND told.called_at IS NOT NULL),
            ('completed_at', call.completed_at IS NULL AND told.completed_at IS NOT NULL),
            ('duration_seconds', call.duration_seconds IS NULL AND told.duration_seconds IS NOT NULL),
            ('success', call.success IS NULL AND told.success IS NOT NULL),
            ('exit_code', call.exit_code IS NULL AND told.exit_code IS NOT NULL),
            ('error_message', call.error_message IS NULL AND told.error_message IS NOT NULL),
            ('input_tokens', call.input_tokens IS NULL AND told.input_tokens IS NOT NULL),
            ('output_tokens', call.output_tokens IS NULL AND told.output_tokens IS NOT NULL),
            ('cost_usd', call.cost_usd IS NULL AND told.cost_usd IS NOT NULL),
            ('request_id', call.request_id IS NULL AND told.request_id IS NOT NULL),
            ('output_excerpt', call.output_excerpt IS NULL AND told.output_excerpt IS NOT NULL)
        ) AS known (name, is_new)
        WHERE is_new
    ) AS filled
    WHERE filled.before IS NOT NULL
)
UPDATE tool_calls AS call
SET
    tool_name = coalesce(call.tool_name, news.tool_name),
    tool_params = coalesce(call.tool_params, news.tool_params),
    command = coalesce(call.command, news.command),
    cwd = coalesce(call.cwd, news.cwd),
    called_at = coalesce(call.called_at, news.called_at),
    completed_at = coalesce(call.completed_at, news.completed_at),
    duration_seconds = coalesce(call.duration_seconds, news.duration_seconds),
    success = coalesce(call.success, news.success),
    exit_code = coalesce(call.exit_code, news.exit_code),
    error_message = coalesce(call.error_message, news.error_message),
    input_tokens = coalesce(call.input_tokens, news.input_tokens),
    output_tokens = coalesce(call.output_tokens, news.output_tokens),
    cost_usd = coalesce(call.cost_usd, news.cost_usd),
    request_id = coalesce(call.request_id, news.request_id),
    output_excerpt = coalesce(call.output_excerpt, news.output_excerpt),
    as_supplied = news.before
FROM news
WHERE call.workflow_id = news.twin_id AND call.tool_call_id = news.twin_call_id;
