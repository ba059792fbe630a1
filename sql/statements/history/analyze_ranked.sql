ANALYZE ranked_versions;
