-- Templates that have no quality by the end of their first day in the window.
SELECT t.id, t.pattern_name
FROM pattern_templates t
WHERE t.created_at < :window_end
  AND NOT EXISTS (
      SELECT FROM pattern_quality_metrics q
      WHERE q.pattern_id = t.id
        AND q.measured_at <= greatest(date_trunc('day', t.created_at, 'UTC'), :window_start) + interval '1 day')
ORDER BY t.id
LIMIT 20
