-- One row of counts for each status again, once they have become many. Changes of transactions that have not ended yet
-- stay rows of their own.
WITH folded AS (
    DELETE FROM pattern_approval_counts
    WHERE (SELECT count(*) FROM pattern_approval_counts) > :most
    RETURNING status, needs_review, patterns
)
INSERT INTO pattern_approval_counts (status, needs_review, patterns)
SELECT status, needs_review, sum(patterns)
FROM folded
GROUP BY status, needs_review
HAVING sum(patterns) <> 0
