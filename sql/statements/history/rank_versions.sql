-- Every version of the staged runs, best first. The version with the earliest start says which run an id means; one with
-- another start and another text is another run and takes the last place. What a vanished source once said counts only
-- while it is what is stored, since it cannot be read again.
INSERT INTO ranked_versions
SELECT workflow_id, source_id, content_hash, position, pass, contradicts, rival_location,
       row_number() OVER (
           PARTITION BY workflow_id
           ORDER BY contradicts, is_terminal DESC, end_time DESC NULLS LAST, step_count DESC, content_hash DESC, source_id
       )
FROM (
    SELECT version.*,
           version.started_at IS DISTINCT FROM first_value(version.started_at) OVER meaning
               AND version.text_hash <> first_value(version.text_hash) OVER meaning AS contradicts,
           first_value(source.location) OVER meaning AS rival_location
    FROM (SELECT DISTINCT workflow_id FROM staged_versions) AS staged
    JOIN run_sources AS version USING (workflow_id)
    JOIN ingested_sources AS source USING (source_id)
    LEFT JOIN workflow_history AS stored USING (workflow_id)
    WHERE source.gone_since IS NULL OR version.content_hash = stored.content_hash
    WINDOW meaning AS (PARTITION BY version.workflow_id ORDER BY version.started_at, version.text_hash, source.location)
) AS judged;
