-- The runs and calls of the sessions; a run ranks as the reader that it came through.
INSERT INTO shared_runs
SELECT workflow_id, session_id, coalesce(kind.rank, -1), start_time, NULL
FROM shared_sessions
JOIN workflow_history AS run USING (session_id)
LEFT JOIN (SELECT reader, max(reader_rank) AS rank FROM ingested_sources GROUP BY reader) AS kind
    ON kind.reader = run.source;

INSERT INTO shared_calls
SELECT run.session_id, call.workflow_id, call.tool_call_id, run.rank, call.workflow_id, NULL, NULL, call.request_id,
       lower(call.tool_name), call.tool_call_id ~ '^step-[0-9]+(#[0-9]+)?$', call.seq, call.event_time
FROM shared_runs AS run
JOIN tool_calls AS call USING (workflow_id);

ANALYZE shared_runs;
ANALYZE shared_calls;
