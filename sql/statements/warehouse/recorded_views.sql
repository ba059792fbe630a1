SELECT name, checksum FROM schema_views ORDER BY name;
