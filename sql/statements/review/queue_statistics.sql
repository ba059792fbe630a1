-- Rows by status; `reopened` counts the rows that ask for another look, whatever their status.
SELECT coalesce(sum(patterns) FILTER (WHERE status = 'pending'), 0)::bigint AS pending,
       coalesce(sum(patterns) FILTER (WHERE status = 'approved'), 0)::bigint AS approved,
       coalesce(sum(patterns) FILTER (WHERE status = 'rejected'), 0)::bigint AS rejected,
       coalesce(sum(patterns) FILTER (WHERE status = 'auto-approved'), 0)::bigint AS auto_approved,
       coalesce(sum(patterns) FILTER (WHERE status = 'auto-rejected'), 0)::bigint AS auto_rejected,
       coalesce(sum(patterns) FILTER (WHERE status = 'deferred'), 0)::bigint AS deferred,
       coalesce(sum(patterns) FILTER (WHERE status = 'revoked'), 0)::bigint AS revoked,
       coalesce(sum(patterns) FILTER (WHERE needs_review), 0)::bigint AS reopened,
       coalesce(sum(patterns), 0)::bigint AS total
FROM pattern_approval_counts
