SELECT * FROM store_pattern_analytics(:period_start, :period_end, :pattern_id::uuid, false)
