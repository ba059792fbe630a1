-- The steps with an operation, by the signature that names them: what sequences are made of.
SELECT d.workflow_id, t.agent_id, d.step_seq, c.template, s.signature, t.success,
       (d.event_time AT TIME ZONE 'UTC')::date AS day
FROM detected_signatures d
JOIN tool_calls t ON t.workflow_id = d.workflow_id AND t.seq = d.step_seq
JOIN signatures s USING (signature_id)
JOIN command_templates c USING (template_id)
WHERE d.event_time >= :window_start AND d.event_time < :window_end
  AND d.step_seq >= 0 AND d.part = 0
  AND (:slices = 1 OR abs(hashtext(d.workflow_id)::bigint) % :slices = :slice)
