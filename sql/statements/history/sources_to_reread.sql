SELECT * FROM ingested_sources WHERE reread_wanted AND gone_since IS NULL ORDER BY location;
