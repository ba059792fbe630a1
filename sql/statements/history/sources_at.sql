SELECT * FROM ingested_sources WHERE location = ANY (:locations);
