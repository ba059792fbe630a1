-- Sources of which nothing was ever read.
DELETE FROM ingested_sources AS source
WHERE spec = :spec
  AND NOT read_completely
  AND rows_read = 0
  AND NOT EXISTS (SELECT FROM run_sources AS version WHERE version.source_id = source.source_id);
