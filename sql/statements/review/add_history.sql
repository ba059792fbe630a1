-- Its number, time and hashes are given by the chain's trigger.
INSERT INTO pattern_review_history (pattern_id, action, reviewer, notes, from_status, to_status, evidence_hash)
VALUES (:pattern_id, :action, :reviewer, :notes, :from_status, :to_status, :evidence_hash)
RETURNING history_id
