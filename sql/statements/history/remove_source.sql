DELETE FROM ingested_sources WHERE source_id = :source_id;
