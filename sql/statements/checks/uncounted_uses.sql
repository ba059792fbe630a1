-- Templates used in the window whose figures are not those of their events.
SELECT t.pattern_name, t.usage_count, e.uses, t.success_rate, e.successes
FROM (SELECT DISTINCT pattern_id FROM pattern_usage_events
      WHERE used_at >= :window_start AND used_at < :window_end) AS touched
JOIN pattern_templates t ON t.id = touched.pattern_id
CROSS JOIN LATERAL (SELECT count(*) AS uses, count(*) FILTER (WHERE success) AS successes
                    FROM pattern_usage_events WHERE pattern_id = t.id) AS e
WHERE t.usage_count <> e.uses OR round(t.success_rate * t.usage_count) <> e.successes
ORDER BY t.pattern_name
LIMIT 20
