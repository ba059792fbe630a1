-- The queue, best first.
SELECT *
FROM v_queue_entries
WHERE (cardinality(:statuses::text[]) = 0 OR status = ANY (:statuses::text[]))
  AND (cardinality(:types::text[]) = 0 OR pattern_type = ANY (:types::text[]))
  AND (NOT :needs_review::boolean OR needs_review)
ORDER BY npv_p10 DESC NULLS LAST, pattern_signature COLLATE "C"
LIMIT :limit
