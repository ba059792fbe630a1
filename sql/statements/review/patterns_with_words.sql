-- The patterns that have all words of a search, up to a limit.
SELECT pattern_id
FROM operation_patterns
WHERE pattern_words(pattern_signature, readable) @@ (:words::text)::tsquery
LIMIT :limit
