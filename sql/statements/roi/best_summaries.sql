SELECT * FROM v_realised_roi
WHERE effectiveness = ANY (:grades::text[])
ORDER BY roi_percentage DESC NULLS LAST, pattern_signature
LIMIT :limit
