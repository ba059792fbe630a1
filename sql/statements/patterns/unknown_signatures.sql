-- Signatures of the window that have no pattern yet, or one described by another version of the rules.
SELECT s.signature
FROM (SELECT DISTINCT signature_id FROM detected_signatures
      WHERE event_time >= :window_start AND event_time < :window_end) d
JOIN signatures s USING (signature_id)
LEFT JOIN operation_patterns p ON p.pattern_id = d.signature_id
WHERE p.detection_version IS DISTINCT FROM :detection_version
ORDER BY s.signature
