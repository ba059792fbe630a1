SELECT version FROM active_versions WHERE stage = :stage
