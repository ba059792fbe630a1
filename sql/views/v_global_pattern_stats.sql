-- The library as a whole. Events are aggregated for each template before anything is averaged, so that each counts once.
DROP VIEW IF EXISTS v_global_pattern_stats;
CREATE VIEW v_global_pattern_stats AS
WITH used AS (
    SELECT pattern_id, count(*) AS uses, count(*) FILTER (WHERE success) AS successes,
           avg(quality_improvement) AS quality_improvement, avg(execution_time_ms) AS execution_time_ms
    FROM pattern_usage_events
    GROUP BY pattern_id
)
SELECT count(*) AS total_patterns,
       count(*) FILTER (WHERE template_lifecycle(t.is_deprecated, t.last_used_at, t.created_at) = 'active') AS active_patterns,
       count(*) FILTER (WHERE template_lifecycle(t.is_deprecated, t.last_used_at, t.created_at) = 'stale') AS stale_patterns,
       count(*) FILTER (WHERE template_lifecycle(t.is_deprecated, t.last_used_at, t.created_at) = 'deprecated') AS deprecated_patterns,
       count(u.uses) AS used_patterns,
       avg(t.confidence_score) AS average_confidence_score,
       avg(u.successes::numeric / u.uses) AS average_success_rate,
       avg(u.quality_improvement) AS average_quality_improvement,
       avg(u.execution_time_ms) AS average_execution_time_ms,
       coalesce(sum(u.uses), 0)::bigint AS total_usage_count,
       coalesce(sum(u.successes), 0)::bigint AS total_success_count
FROM pattern_templates t
LEFT JOIN used u ON u.pattern_id = t.id;
