-- Logs of finished runs, and events of assets that a newer materialisation of the same partition replaced. The newest
-- materialisation and observation of each partition stay for ever: they are what Dagster knows of its state.
WITH removed AS (
    DELETE FROM event_logs AS old
    WHERE old.id > :after AND old.id <= :upto AND old.timestamp < :before
      AND NOT EXISTS (SELECT FROM runs
                      WHERE runs.run_id = old.run_id AND runs.status NOT IN ('SUCCESS', 'FAILURE', 'CANCELED'))
      AND NOT EXISTS (SELECT FROM asset_check_executions AS evaluation
                      WHERE evaluation.evaluation_event_storage_id = old.id)
      AND (
          old.asset_key IS NULL
          OR old.dagster_event_type IN ('ASSET_MATERIALIZATION', 'ASSET_MATERIALIZATION_PLANNED',
                                        'ASSET_FAILED_TO_MATERIALIZE', 'ASSET_OBSERVATION')
          AND EXISTS (SELECT FROM event_logs AS newer
                      WHERE newer.asset_key = old.asset_key
                        AND newer.dagster_event_type = CASE old.dagster_event_type
                            WHEN 'ASSET_OBSERVATION' THEN 'ASSET_OBSERVATION' ELSE 'ASSET_MATERIALIZATION' END
                        AND newer.partition IS NOT DISTINCT FROM old.partition
                        AND newer.id > old.id)
      )
    RETURNING old.id
),
untagged AS (
    DELETE FROM asset_event_tags USING removed WHERE asset_event_tags.event_id = removed.id
)
SELECT count(*) FROM removed;
