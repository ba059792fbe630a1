-- By the spec that brought them or by their own location.
SELECT * FROM ingested_sources WHERE spec = :spec OR location = :spec ORDER BY location;
