-- Whole days: a day that the period begins or ends in counts as a whole.
SELECT day, usage_count, avg_quality_improvement, success_rate
FROM v_pattern_quality_trends
WHERE pattern_id = :pattern_id AND day >= date_trunc('day', :period_start::timestamptz, 'UTC') AND day < :period_end
ORDER BY day
