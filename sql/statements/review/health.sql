-- How fresh the pipeline's work is: the last closed hour, when it was closed, and since when a pattern has waited.
SELECT (SELECT max(closed_at) FROM history_hours) AS last_hour_closed_at,
       (SELECT max(hour) FROM history_hours) AS last_hour,
       (SELECT min(created_at) FROM pattern_approvals WHERE status = 'pending') AS oldest_pending,
       (SELECT max(version) FROM schema_migrations) AS schema_version
