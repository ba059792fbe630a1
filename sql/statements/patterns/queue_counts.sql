SELECT status, count(*) AS patterns FROM pattern_approvals GROUP BY status ORDER BY status
