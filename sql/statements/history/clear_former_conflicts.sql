-- Whether this source's versions contradict another is judged anew, at the place where the run now stands.
DELETE FROM quarantined_records AS quarantined
USING staged_versions AS staged
JOIN run_sources AS version USING (workflow_id)
WHERE version.source_id = :source_id
  AND quarantined.source_id = version.source_id
  AND quarantined.position = version.position
  AND quarantined.reason = 'id_conflict';
