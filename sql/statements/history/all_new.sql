SELECT NOT EXISTS (SELECT FROM staged_runs JOIN run_sources USING (workflow_id));
