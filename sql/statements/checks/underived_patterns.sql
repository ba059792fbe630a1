-- Published counts that are not the sums of the days. While hours wait for other rules, the published ones are older.
WITH counted AS (
    SELECT pattern_id, sum(occurrences) AS occurrences FROM pattern_daily_statistics GROUP BY pattern_id
)
SELECT p.pattern_signature, p.occurrence_count AS published, coalesce(c.occurrences, 0) AS derived
FROM operation_patterns p
LEFT JOIN counted c USING (pattern_id)
WHERE p.occurrence_count <> coalesce(c.occurrences, 0)
  AND NOT EXISTS (
      SELECT FROM history_hours h
      LEFT JOIN active_versions a ON a.stage = 'detection'
      LEFT JOIN active_versions s ON s.stage = 'catalogue'
      WHERE h.workflow_count > 0
        AND (h.detection_version IS DISTINCT FROM a.version OR h.catalogue_version IS DISTINCT FROM s.version))
ORDER BY p.pattern_signature
LIMIT 20
