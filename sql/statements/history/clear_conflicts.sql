DELETE FROM quarantined_records AS quarantined
USING ranked_versions AS version
WHERE quarantined.source_id = version.source_id
  AND quarantined.position = version.position
  AND quarantined.reason = 'id_conflict'
  AND NOT version.contradicts;
