-- Hours whose history changed since they were closed, or that another policy or catalogue than the active one was applied to.
SELECT hour, touched.generation, closed.hour IS NOT NULL AS was_closed
FROM touched_hours AS touched
LEFT JOIN history_hours AS closed USING (hour)
LEFT JOIN active_versions AS detection ON detection.stage = 'detection'
LEFT JOIN active_versions AS catalogue ON catalogue.stage = 'catalogue'
WHERE hour >= :start
  AND hour < :end
  AND (
      closed.generation IS DISTINCT FROM touched.generation
      OR closed.detection_version IS NULL
      OR closed.detection_version <> detection.version
      OR closed.catalogue_version IS NULL
      OR closed.catalogue_version <> catalogue.version
  )
ORDER BY hour
LIMIT :most;
