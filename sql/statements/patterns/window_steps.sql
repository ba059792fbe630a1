SELECT t.workflow_id, w.event_time, t.seq AS step_seq, t.tool_name, t.command, t.cwd, t.tool_params::text AS tool_params
FROM workflow_history w
JOIN tool_calls t USING (workflow_id)
WHERE w.event_time >= :window_start AND w.event_time < :window_end
  AND w.superseded_by IS NULL
  AND (:slices = 1 OR abs(hashtext(w.workflow_id)::bigint) % :slices = :slice)
ORDER BY t.workflow_id, t.seq
