-- Records of one source under one id that are different runs: the first in the source stays.
INSERT INTO quarantined_records (source_id, position, reason, detail, pass)
SELECT kept.source_id, staged.position, 'id_conflict',
       format('Another run of this source has the id %s, with another start and text (at %s); '
              'map a column that is unique to workflow_id.', staged.workflow_id, kept.position),
       kept.pass
FROM staged_versions AS staged
JOIN run_sources AS kept USING (workflow_id)
WHERE kept.source_id = :source_id
  AND kept.pass = :pass
  AND kept.started_at IS DISTINCT FROM staged.started_at
  AND kept.text_hash <> staged.text_hash
ON CONFLICT (source_id, position, reason) DO UPDATE SET detail = excluded.detail, pass = excluded.pass;
