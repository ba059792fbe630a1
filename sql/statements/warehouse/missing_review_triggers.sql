-- The triggers that make the review history an append-only chain, unless they are there and on in every replication role.
SELECT expected.name
FROM (VALUES ('pattern_review_history_chain'), ('pattern_review_history_no_change')) AS expected (name)
WHERE NOT EXISTS (
    SELECT FROM pg_trigger t
    WHERE t.tgrelid = to_regclass('pattern_review_history') AND t.tgname = expected.name AND t.tgenabled = 'A'
)
ORDER BY expected.name;
