-- A page of the queue, highest impact (confidence * occurrences * savings) first; it continues after the row that the last one ended with.
SELECT *, coalesce(impact_score, '-Infinity') AS sort_key
FROM v_queue_entries
WHERE (:status::text IS NULL OR status = :status::text)
  AND (:pattern_type::text IS NULL OR pattern_type = :pattern_type::text)
  AND (NOT :needs_review::boolean OR needs_review)
  AND (:words::text IS NULL OR pattern_words(pattern_signature, readable) @@ (:words::text)::tsquery)
  AND (:pattern_ids::integer[] IS NULL OR pattern_id = ANY (:pattern_ids::integer[]))
  AND (:after_id::integer IS NULL OR (coalesce(impact_score, '-Infinity'), pattern_id) < (:after_key::numeric, :after_id::integer))
ORDER BY coalesce(impact_score, '-Infinity') DESC, pattern_id DESC
LIMIT :limit
