-- Hours in which the new catalogue finds just what the old one did already stand on it.
UPDATE history_hours h SET catalogue_version = :new
WHERE h.catalogue_version = :old
  AND NOT EXISTS (SELECT FROM stage_hours s WHERE s.hour = h.hour)
