-- The decided_* columns keep what the decision rests on; a reopened pattern rests on nothing.
UPDATE pattern_approvals
SET status = :status,
    version = version + 1,
    needs_review = false,
    review_reason = NULL,
    decided_evidence_hash = CASE WHEN :status::text = 'pending' THEN NULL ELSE :evidence_hash::text END,
    decided_confidence = CASE WHEN :status::text = 'pending' THEN NULL ELSE confidence_score END,
    deferred_until = :deferred_until::timestamptz,
    reviewed_by = :reviewer,
    reviewed_at = now(),
    approval_notes = :notes::text,
    updated_at = now()
WHERE pattern_id = :pattern_id
RETURNING version
