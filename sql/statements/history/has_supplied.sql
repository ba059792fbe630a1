SELECT EXISTS (SELECT FROM run_sources JOIN ingested_sources USING (source_id) WHERE location = :location);
