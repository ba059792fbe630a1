UPDATE ingested_sources SET gone_since = now()
WHERE spec = :spec AND gone_since IS NULL AND NOT (location = ANY (:present));
