SELECT count(*) AS hours,
       count(*) FILTER (WHERE h.detection_version IS DISTINCT FROM d.version
                           OR h.catalogue_version IS DISTINCT FROM c.version) AS waiting
FROM history_hours h
LEFT JOIN active_versions d ON d.stage = 'detection'
LEFT JOIN active_versions c ON c.stage = 'catalogue'
WHERE h.workflow_count > 0
