SELECT spec, source_type, options, added_at FROM configured_sources ORDER BY added_at, spec;
