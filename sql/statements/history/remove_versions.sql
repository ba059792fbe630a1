-- Forgotten on purpose: the source's runs are decided anew by what other sources say.
WITH removed AS (
    DELETE FROM run_sources WHERE source_id = :source_id RETURNING workflow_id
)
INSERT INTO staged_versions (workflow_id)
SELECT workflow_id FROM removed;
