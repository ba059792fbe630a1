INSERT INTO catalogue_versions (catalogue_version, detection_version, window_start, window_end, steps, sequences)
VALUES (:catalogue_version, :detection_version, :window_start, :window_end, :steps, :sequences)
ON CONFLICT DO NOTHING
