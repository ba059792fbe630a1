-- Every run of the sessions as its source gave it, so that what follows never depends on what was merged before.
INSERT INTO former_merges
SELECT workflow_id, superseded_by, merged_content, event_time
FROM workflow_history
JOIN shared_sessions USING (session_id)
WHERE superseded_by IS NOT NULL OR merged_content IS NOT NULL
ON CONFLICT (workflow_id) DO NOTHING;

UPDATE tool_calls AS call
SET (workflow_id, tool_call_id, seq, tool_name, tool_params, command, cwd, called_at, completed_at, duration_seconds, success,
     exit_code, error_message, input_tokens, output_tokens, cost_usd, request_id, output_excerpt) = (
        SELECT workflow_id, tool_call_id, seq, tool_name, tool_params, command, cwd, called_at, completed_at,
               duration_seconds, success, exit_code, error_message, input_tokens, output_tokens, cost_usd, request_id,
               output_excerpt
        FROM jsonb_populate_record(call, call.as_supplied)
    ),
    as_supplied = NULL
FROM former_merges AS former
WHERE former.merged_content IS NOT NULL AND call.workflow_id = former.workflow_id AND call.as_supplied IS NOT NULL;

UPDATE workflow_history AS run
SET superseded_by = NULL,
    merged_content = NULL,
    step_count = CASE
        WHEN run.merged_content IS NULL THEN run.step_count
        ELSE (SELECT count(*) FROM tool_calls AS call WHERE call.workflow_id = run.workflow_id)
    END
FROM former_merges AS former
WHERE run.workflow_id = former.workflow_id AND (run.superseded_by IS NOT NULL OR run.merged_content IS NOT NULL);
