INSERT INTO quarantined_records (source_id, position, reason, detail, excerpt, pass)
SELECT DISTINCT ON (position, reason) :source_id, position, reason, detail, excerpt, :pass
FROM staged_quarantine
ORDER BY position, reason
ON CONFLICT (source_id, position, reason)
DO UPDATE SET detail = excluded.detail, excerpt = excluded.excerpt, pass = excluded.pass;
