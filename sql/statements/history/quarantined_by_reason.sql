SELECT reason, count(*) AS records FROM quarantined_records WHERE source_id = :source_id GROUP BY reason ORDER BY reason;
