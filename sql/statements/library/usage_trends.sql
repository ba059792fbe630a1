SELECT * FROM pattern_usage_trends(:pattern_id::uuid, :period_start, :period_end, :bucket)
