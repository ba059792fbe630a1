-- A page of the queue, most often seen first; it continues after the row that the last one ended with.
SELECT *, occurrence_count AS sort_key
FROM v_queue_entries
WHERE (:status::text IS NULL OR status = :status::text)
  AND (:pattern_type::text IS NULL OR pattern_type = :pattern_type::text)
  AND (NOT :needs_review::boolean OR needs_review)
  AND (:words::text IS NULL OR pattern_words(pattern_signature, readable) @@ (:words::text)::tsquery)
  AND (:pattern_ids::integer[] IS NULL OR pattern_id = ANY (:pattern_ids::integer[]))
  AND (:after_id::integer IS NULL OR (occurrence_count, pattern_id) < (:after_key::integer, :after_id::integer))
ORDER BY occurrence_count DESC, pattern_id DESC
LIMIT :limit
