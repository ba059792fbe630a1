SELECT DISTINCT workflow_id FROM staged_runs JOIN run_sources USING (workflow_id)
