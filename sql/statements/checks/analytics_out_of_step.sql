-- Days of the window whose row for all templates is missing or is not the sum of its templates.
SELECT d.day, a.total_usage_count, e.uses, a.missed_uses, e.missed
FROM generate_series(:window_start::timestamptz, :window_end::timestamptz - interval '1 day', interval '1 day') AS d (day)
LEFT JOIN pattern_analytics a
    ON a.period_start = d.day AND a.period_end = d.day + interval '1 day' AND a.pattern_id IS NULL
CROSS JOIN LATERAL (
    SELECT coalesce(sum(p.total_usage_count), 0) AS uses, coalesce(sum(p.missed_uses), 0) AS missed
    FROM pattern_analytics p
    WHERE p.period_start = d.day AND p.period_end = d.day + interval '1 day' AND p.pattern_id IS NOT NULL
) AS e
WHERE (a.total_usage_count, a.missed_uses) IS DISTINCT FROM (e.uses, e.missed)
ORDER BY d.day
LIMIT 20
