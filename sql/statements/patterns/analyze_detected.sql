ANALYZE detected_signatures (event_time, step_seq, part, signature_id, workflow_id)
