SELECT * FROM v_realised_roi
WHERE effectiveness = ANY (:grades::text[])
ORDER BY roi_percentage NULLS LAST, success_rate, pattern_signature
LIMIT :limit
