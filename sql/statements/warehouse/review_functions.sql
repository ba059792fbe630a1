-- The functions that make the review history an append-only chain, as they are in the database.
SELECT proname::text, prosrc
FROM pg_proc
WHERE oid IN (SELECT tgfoid FROM pg_trigger WHERE tgrelid = to_regclass('pattern_review_history') AND NOT tgisinternal)
   OR oid = to_regprocedure('pattern_review_history_row_hash(pattern_review_history)')
ORDER BY proname;
