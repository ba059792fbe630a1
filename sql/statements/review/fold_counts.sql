-- One row of counts for each status again, so that they stay few. Changes of transactions that have not ended yet stay rows
-- of their own until the next time.
WITH folded AS (
    DELETE FROM pattern_approval_counts
    WHERE EXISTS (SELECT FROM pattern_approval_counts GROUP BY status, needs_review HAVING count(*) > 1)
    RETURNING status, needs_review, patterns
)
INSERT INTO pattern_approval_counts (status, needs_review, patterns)
SELECT status, needs_review, sum(patterns)
FROM folded
GROUP BY status, needs_review
HAVING sum(patterns) <> 0
