DROP FUNCTION IF EXISTS pattern_usage_summary(timestamptz, timestamptz, uuid);  -- it is part of the next one now
-- Stores the analytics of a period: of one template, else of all together and, if asked for, of each that was used or missed.
-- The trend compares the halves of the period: (later - earlier) / (later + earlier), stable up to a tenth. An average of all
-- together is the mean of their averages, each template counted once: sums are exact, so those of templates with equally many
-- uses are added before they are divided.
CREATE OR REPLACE FUNCTION store_pattern_analytics(
    period_start timestamptz, period_end timestamptz, only_pattern uuid, each_pattern boolean)
RETURNS SETOF pattern_analytics
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    middle timestamptz := period_start + (period_end - period_start) / 2;
BEGIN
    RETURN QUERY
    WITH used AS (
        SELECT e.pattern_id, count(*) AS uses, count(*) FILTER (WHERE e.success) AS successes,
               count(*) FILTER (WHERE e.used_at >= middle) AS later_uses, count(e.execution_time_ms) AS timed_uses,
               sum(e.execution_time_ms) AS execution_time_ms, count(e.quality_improvement) AS compared_uses,
               sum(e.quality_improvement) AS quality_improvement
        FROM pattern_usage_events e
        WHERE e.used_at >= $1 AND e.used_at < $2 AND ($3 IS NULL OR e.pattern_id = $3)
        GROUP BY e.pattern_id
    ), missed AS (
        SELECT m.pattern_id, count(*) AS missed
        FROM v_missed_uses m
        WHERE m.occurred_at >= $1 AND m.occurred_at < $2 AND ($3 IS NULL OR m.pattern_id = $3)
        GROUP BY m.pattern_id
    ), summary AS MATERIALIZED (
        SELECT coalesce(u.pattern_id, m.pattern_id) AS pattern_id, coalesce(u.uses, 0) AS uses,
               coalesce(u.successes, 0) AS successes, coalesce(u.later_uses, 0) AS later_uses,
               coalesce(u.timed_uses, 0) AS timed_uses, u.execution_time_ms, coalesce(u.compared_uses, 0) AS compared_uses,
               u.quality_improvement, coalesce(m.missed, 0) AS missed
        FROM used u FULL JOIN missed m ON m.pattern_id = u.pattern_id
    ), top AS (
        SELECT jsonb_agg(jsonb_build_object('pattern_id', b.pattern_id, 'pattern_name', t.pattern_name, 'usage_count', b.uses)
                         ORDER BY b.uses DESC, b.pattern_id) AS patterns
        FROM (SELECT s.pattern_id, s.uses FROM summary s WHERE s.uses > 0 ORDER BY s.uses DESC, s.pattern_id LIMIT 10) AS b
        JOIN pattern_templates t ON t.id = b.pattern_id
        WHERE $3 IS NULL
    ), times AS (
        SELECT sum(e.total / e.uses) / sum(e.templates) AS average
        FROM (SELECT s.timed_uses AS uses, sum(s.execution_time_ms) AS total, count(*) AS templates
              FROM summary s WHERE s.timed_uses > 0 GROUP BY s.timed_uses) AS e
    ), improvements AS (
        SELECT sum(e.total / e.uses) / sum(e.templates) AS average
        FROM (SELECT s.compared_uses AS uses, sum(s.quality_improvement) AS total, count(*) AS templates
              FROM summary s WHERE s.compared_uses > 0 GROUP BY s.compared_uses) AS e
    ), figures AS (
        SELECT s.pattern_id, s.uses, s.successes, s.execution_time_ms / nullif(s.timed_uses, 0) AS execution_time_ms,
               s.quality_improvement / nullif(s.compared_uses, 0) AS quality_improvement, s.later_uses, s.missed,
               NULL::jsonb AS top_patterns
        FROM summary s
        WHERE $3 IS NOT NULL OR $4
        UNION ALL
        SELECT $3, 0, 0, NULL, NULL, 0, 0, NULL WHERE $3 IS NOT NULL AND NOT EXISTS (SELECT FROM summary)
        UNION ALL
        SELECT NULL, coalesce(sum(s.uses), 0)::bigint, coalesce(sum(s.successes), 0)::bigint,
               (SELECT times.average FROM times), (SELECT improvements.average FROM improvements),
               coalesce(sum(s.later_uses), 0)::bigint, coalesce(sum(s.missed), 0)::bigint, (SELECT top.patterns FROM top)
        FROM summary s
        HAVING $3 IS NULL
    ), trends AS (
        SELECT f.*, coalesce((2 * f.later_uses - f.uses)::numeric / nullif(f.uses, 0), 0) AS change FROM figures f
    )
    INSERT INTO pattern_analytics AS a (period_start, period_end, pattern_id, total_usage_count, success_count, failure_count,
        average_execution_time_ms, average_quality_improvement, missed_uses, adoption, top_patterns, trend_direction,
        trend_strength)
    SELECT $1, $2, f.pattern_id, f.uses, f.successes, f.uses - f.successes, f.execution_time_ms, f.quality_improvement,
           f.missed, f.uses::numeric / nullif(f.uses + f.missed, 0), coalesce(f.top_patterns, '[]'),
           CASE WHEN f.change > 0.1 THEN 'increasing' WHEN f.change < -0.1 THEN 'decreasing' ELSE 'stable' END, abs(f.change)
    FROM trends f
    ON CONFLICT ON CONSTRAINT pattern_analytics_period_start_period_end_pattern_id_key DO UPDATE SET
        total_usage_count = excluded.total_usage_count, success_count = excluded.success_count,
        failure_count = excluded.failure_count, average_execution_time_ms = excluded.average_execution_time_ms,
        average_quality_improvement = excluded.average_quality_improvement, missed_uses = excluded.missed_uses,
        adoption = excluded.adoption, top_patterns = excluded.top_patterns, trend_direction = excluded.trend_direction,
        trend_strength = excluded.trend_strength, computed_at = now()
    RETURNING a.*;
END $$;

CREATE OR REPLACE FUNCTION compute_pattern_analytics(period_start timestamptz, period_end timestamptz, pattern uuid DEFAULT NULL)
RETURNS uuid
LANGUAGE sql AS $$
    SELECT a.id FROM store_pattern_analytics(period_start, period_end, pattern, false) AS a
$$;
