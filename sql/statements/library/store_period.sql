-- The analytics of a period: all templates together, and each that was used or missed.
SELECT count(*) - 1 AS templates, max(total_usage_count) AS uses, max(missed_uses) AS missed_uses
FROM store_pattern_analytics(:period_start, :period_end, NULL, true)
