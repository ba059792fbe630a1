-- Two records of one source under one id that are different runs: the earlier start stays, whatever the order of reading.
INSERT INTO quarantined_records (source_id, position, reason, detail, pass)
SELECT kept.source_id,
       CASE WHEN (staged.started_at, staged.text_hash) < (kept.started_at, kept.text_hash)
            THEN kept.position ELSE staged.position END,
       'id_conflict',
       format('run %s stands in this source twice with another start and another text (also at %s): '
              'map a column that is unique to workflow_id and ingest it again',
              staged.workflow_id,
              CASE WHEN (staged.started_at, staged.text_hash) < (kept.started_at, kept.text_hash)
                   THEN staged.position ELSE kept.position END),
       kept.pass
FROM staged_versions AS staged
JOIN run_sources AS kept USING (workflow_id)
WHERE kept.source_id = :source_id
  AND kept.pass = :pass
  AND kept.position <> staged.position
  AND kept.started_at <> staged.started_at
  AND kept.text_hash <> staged.text_hash
ON CONFLICT (source_id, position, reason) DO UPDATE SET detail = excluded.detail, pass = excluded.pass;
