INSERT INTO schema_views (name, checksum) VALUES (:name, :checksum);
