INSERT INTO quarantined_records (source_id, position, reason, detail, pass)
SELECT source_id, position, 'id_conflict',
       format('run %s has another start and another text than the run of that id in %s: '
              'give this source a namespace of its own (--namespace NAME) and ingest it again',
              workflow_id, rival_location),
       pass
FROM ranked_versions
WHERE contradicts
ON CONFLICT (source_id, position, reason) DO UPDATE SET detail = excluded.detail, pass = excluded.pass;
