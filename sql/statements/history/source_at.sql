SELECT * FROM ingested_sources WHERE location = :location;
