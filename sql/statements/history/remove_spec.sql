DELETE FROM configured_sources WHERE spec = :spec;
