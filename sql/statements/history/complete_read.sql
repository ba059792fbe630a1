UPDATE ingested_sources
SET read_completely = true, reread_wanted = reread_wanted AND NOT :from_start, finished_at = now()
WHERE source_id = :source_id;
