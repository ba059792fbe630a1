-- How many queued patterns have which status, so that the page need not count a large queue again for everybody who looks.
-- Each statement that changes the queue adds its difference in the same transaction: the sum is exact in every snapshot,
-- and, since nothing is updated in place, no decision waits for another one's count. A sync folds the rows together.
CREATE TABLE pattern_approval_counts (
    status        text NOT NULL,
    needs_review  boolean NOT NULL,
    patterns      bigint NOT NULL CHECK (patterns <> 0)
);
INSERT INTO pattern_approval_counts
SELECT status, needs_review, count(*) FROM pattern_approvals GROUP BY status, needs_review;

CREATE FUNCTION count_pattern_approvals() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO pattern_approval_counts
        SELECT status, needs_review, count(*) FROM entered GROUP BY status, needs_review;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO pattern_approval_counts
        SELECT status, needs_review, -count(*) FROM gone GROUP BY status, needs_review;
    ELSE
        INSERT INTO pattern_approval_counts
        SELECT status, needs_review, sum(patterns)
        FROM (SELECT status, needs_review, 1 AS patterns FROM entered
              UNION ALL SELECT status, needs_review, -1 FROM gone) AS changed
        GROUP BY status, needs_review
        HAVING sum(patterns) <> 0;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER pattern_approvals_count_inserted AFTER INSERT ON pattern_approvals
    REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION count_pattern_approvals();
CREATE TRIGGER pattern_approvals_count_updated AFTER UPDATE ON pattern_approvals
    REFERENCING OLD TABLE AS gone NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION count_pattern_approvals();
CREATE TRIGGER pattern_approvals_count_deleted AFTER DELETE ON pattern_approvals
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION count_pattern_approvals();

-- The index that counting went by makes room for one that finds who has waited longest, and the newest of a status.
DROP INDEX idx_pattern_approvals_status_counts;
CREATE INDEX idx_pattern_approvals_status_newest ON pattern_approvals (status, created_at, pattern_id);
CREATE INDEX idx_pattern_approvals_impact ON pattern_approvals (coalesce(impact_score, '-Infinity'), pattern_id);
