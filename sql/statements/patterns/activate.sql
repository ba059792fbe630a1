INSERT INTO active_versions (stage, version)
VALUES (:stage, :version)
ON CONFLICT (stage) DO UPDATE SET version = excluded.version
WHERE active_versions.version <> excluded.version
