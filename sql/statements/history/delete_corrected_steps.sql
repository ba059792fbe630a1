DELETE FROM tool_calls AS step
USING corrected_runs AS corrected
WHERE step.workflow_id = corrected.workflow_id;
