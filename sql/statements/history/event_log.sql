-- Runs and their steps as an event log: a row a step, in the order of time and run; a run without steps has one row.
SELECT run.workflow_id AS case_id,
       run.session_id,
       run.project,
       run.source,
       run.nl_input AS task,
       run.model_used AS model,
       run.status,
       run.start_time AS case_start,
       run.end_time AS case_end,
       coalesce(run.actual_cost_total, run.estimated_cost_total) AS case_cost_usd,
       run.cost_basis,
       run.total_tokens,
       call.tool_call_id AS event_id,
       coalesce(signature.signature, call.tool_name, 'unknown') AS activity,
       coalesce(call.completed_at, call.event_time, run.event_time) AS completed_at,
       call.called_at AS started_at,
       call.tool_name AS tool,
       call.command,
       call.cwd AS directory,
       call.agent_id AS agent,
       call.success,
       call.exit_code,
       call.duration_seconds,
       call.cost_usd
FROM workflow_history AS run
LEFT JOIN tool_calls AS call USING (workflow_id)
LEFT JOIN detected_signatures AS named
    ON named.workflow_id = call.workflow_id AND named.step_seq = call.seq AND named.part = 0
LEFT JOIN signatures AS signature USING (signature_id)
WHERE run.superseded_by IS NULL AND run.event_time >= :since AND run.event_time < :until
ORDER BY run.event_time, run.workflow_id COLLATE "C", call.seq
