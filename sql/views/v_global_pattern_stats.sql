-- The library as a whole. Averages are over templates: each of them counts once, however often it was used. Sums are exact, so
-- those of templates with equally many uses are added before they are divided.
DROP VIEW IF EXISTS v_global_pattern_stats;
CREATE VIEW v_global_pattern_stats AS
WITH alike AS (
    SELECT template_lifecycle(is_deprecated, last_used_at, created_at) AS lifecycle, timed_uses, compared_uses,
           count(*) AS templates, count(*) FILTER (WHERE usage_count > 0) AS used, sum(confidence_score) AS confidence_score,
           sum(success_rate) FILTER (WHERE usage_count > 0) AS success_rate, sum(usage_count) AS uses,
           sum(round(success_rate * usage_count)) AS successes, sum(execution_time_total_ms) AS execution_time_ms,
           sum(quality_improvement_total) AS quality_improvement
    FROM pattern_templates
    GROUP BY 1, 2, 3
)
SELECT coalesce(sum(templates), 0)::bigint AS total_patterns,
       coalesce(sum(templates) FILTER (WHERE lifecycle = 'active'), 0)::bigint AS active_patterns,
       coalesce(sum(templates) FILTER (WHERE lifecycle = 'stale'), 0)::bigint AS stale_patterns,
       coalesce(sum(templates) FILTER (WHERE lifecycle = 'deprecated'), 0)::bigint AS deprecated_patterns,
       coalesce(sum(used), 0)::bigint AS used_patterns,
       sum(confidence_score) / sum(templates) AS average_confidence_score,
       sum(success_rate) / nullif(sum(used), 0) AS average_success_rate,
       sum(quality_improvement / nullif(compared_uses, 0)) / sum(templates) FILTER (WHERE compared_uses > 0)
           AS average_quality_improvement,
       sum(execution_time_ms / nullif(timed_uses, 0)) / sum(templates) FILTER (WHERE timed_uses > 0) AS average_execution_time_ms,
       coalesce(sum(uses), 0)::bigint AS total_usage_count,
       coalesce(sum(successes), 0)::bigint AS total_success_count
FROM alike;
