-- What the uses of a template changed, by day of UTC.
DROP VIEW IF EXISTS v_pattern_quality_trends;
CREATE VIEW v_pattern_quality_trends AS
SELECT pattern_id, date_trunc('day', used_at, 'UTC') AS day, count(*) AS usage_count,
       avg(quality_improvement) AS avg_quality_improvement,
       count(*) FILTER (WHERE success)::numeric / count(*) AS success_rate
FROM pattern_usage_events
GROUP BY pattern_id, date_trunc('day', used_at, 'UTC');
