-- Ask for another look and say so in the history. A row that was decided again in the meantime has another version: it is
-- left alone.
WITH flagged AS (
    UPDATE pattern_approvals a
    SET needs_review = true, review_reason = d.reason, version = a.version + 1, updated_at = now()
    FROM unnest(:pattern_ids::integer[], :versions::integer[], :reasons::text[]) AS d (pattern_id, version, reason)
    WHERE a.pattern_id = d.pattern_id AND a.version = d.version
    RETURNING a.pattern_id, a.status, a.evidence_hash, a.review_reason
)
INSERT INTO pattern_review_history (pattern_id, action, reviewer, notes, from_status, to_status, evidence_hash)
SELECT pattern_id, 'flagged', :reviewer::text, review_reason, status, status, evidence_hash
FROM flagged
ORDER BY pattern_id
RETURNING pattern_id
