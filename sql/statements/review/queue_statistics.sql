-- Rows by status; `reopened` counts the rows that ask for another look, whatever their status.
SELECT count(*) FILTER (WHERE status = 'pending') AS pending,
       count(*) FILTER (WHERE status = 'approved') AS approved,
       count(*) FILTER (WHERE status = 'rejected') AS rejected,
       count(*) FILTER (WHERE status = 'auto-approved') AS auto_approved,
       count(*) FILTER (WHERE status = 'auto-rejected') AS auto_rejected,
       count(*) FILTER (WHERE status = 'deferred') AS deferred,
       count(*) FILTER (WHERE status = 'revoked') AS revoked,
       count(*) FILTER (WHERE needs_review) AS reopened,
       count(*) AS total
FROM pattern_approvals
