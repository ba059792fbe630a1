SELECT reason, count(*) AS records FROM quarantined_records GROUP BY reason ORDER BY reason
