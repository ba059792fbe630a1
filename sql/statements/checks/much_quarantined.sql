-- Sources of which more than one record in twenty was put aside.
SELECT location, rows_read, rows_quarantined, round(rows_quarantined::numeric / rows_read, 3) AS share
FROM ingested_sources
WHERE gone_since IS NULL AND rows_quarantined >= 5 AND rows_quarantined > rows_read * 0.05
ORDER BY rows_quarantined DESC, location
LIMIT 20
