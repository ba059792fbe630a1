ANALYZE staged_versions (workflow_id);
