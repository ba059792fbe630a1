INSERT INTO policy_versions (stage, version, policy)
VALUES (:stage, :version, CAST(:policy AS jsonb))
ON CONFLICT DO NOTHING
