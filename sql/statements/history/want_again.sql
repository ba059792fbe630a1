UPDATE ingested_sources SET reread_wanted = true WHERE location = ANY (:locations) AND gone_since IS NULL;
