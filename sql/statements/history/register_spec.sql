INSERT INTO configured_sources (spec, source_type, options)
VALUES (:spec, :source_type, (:options)::jsonb)
ON CONFLICT (spec) DO UPDATE SET source_type = excluded.source_type, options = excluded.options;
