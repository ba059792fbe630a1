-- A source that was read from its beginning to its end no longer has what this pass did not see.
WITH vanished AS (
    DELETE FROM run_sources WHERE source_id = :source_id AND pass <> :pass RETURNING workflow_id
)
INSERT INTO staged_versions (workflow_id)
SELECT workflow_id FROM vanished;
