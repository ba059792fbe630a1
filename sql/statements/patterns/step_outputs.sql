SELECT workflow_id, seq AS step_seq, output_excerpt AS output
FROM tool_calls
WHERE workflow_id IN (SELECT workflow_id FROM stage_workflows) AND output_excerpt IS NOT NULL
