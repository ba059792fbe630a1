-- Whether the kept counts of the queue are other than its rows.
SELECT count(*) > 0
FROM (SELECT status, needs_review, sum(patterns) AS patterns FROM pattern_approval_counts GROUP BY status, needs_review) kept
FULL JOIN (SELECT status, needs_review, count(*) AS patterns FROM pattern_approvals GROUP BY status, needs_review) found
    USING (status, needs_review)
WHERE coalesce(kept.patterns, 0) <> coalesce(found.patterns, 0);
