ANALYZE staged_runs;
