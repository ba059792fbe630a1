SELECT NOT EXISTS (SELECT FROM staged_versions JOIN run_sources USING (workflow_id));
