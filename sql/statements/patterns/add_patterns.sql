INSERT INTO operation_patterns (pattern_id, pattern_signature, pattern_type, kind, readable, automatable,
                                exclusion_reason, detection_version)
SELECT s.signature_id, s.signature, t.pattern_type, t.kind, t.readable, t.automatable, t.exclusion_reason,
       :detection_version
FROM stage_patterns t
JOIN signatures s USING (signature)
ORDER BY s.signature
ON CONFLICT (pattern_id) DO UPDATE SET
    readable = excluded.readable, automatable = excluded.automatable,
    exclusion_reason = excluded.exclusion_reason, detection_version = excluded.detection_version,
    updated_at = now()
