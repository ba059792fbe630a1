-- What was used and missed in a half-open period: a row for each template, the later of the period's halves apart.
CREATE OR REPLACE FUNCTION pattern_usage_summary(period_start timestamptz, period_end timestamptz, only_pattern uuid)
RETURNS TABLE (pattern_id uuid, uses bigint, successes bigint, execution_time_ms numeric, quality_improvement numeric,
               later_uses bigint, missed bigint)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY
    WITH used AS (
        SELECT e.pattern_id, count(*) AS uses, count(*) FILTER (WHERE e.success) AS successes,
               avg(e.execution_time_ms) AS execution_time_ms, avg(e.quality_improvement) AS quality_improvement,
               count(*) FILTER (WHERE e.used_at >= $1 + ($2 - $1) / 2) AS later_uses
        FROM pattern_usage_events e
        WHERE e.used_at >= $1 AND e.used_at < $2 AND ($3 IS NULL OR e.pattern_id = $3)
        GROUP BY e.pattern_id
    ), missed AS (
        SELECT m.pattern_id, count(*) AS missed
        FROM v_missed_uses m
        WHERE m.occurred_at >= $1 AND m.occurred_at < $2 AND ($3 IS NULL OR m.pattern_id = $3)
        GROUP BY m.pattern_id
    )
    SELECT coalesce(u.pattern_id, m.pattern_id), coalesce(u.uses, 0), coalesce(u.successes, 0), u.execution_time_ms,
           u.quality_improvement, coalesce(u.later_uses, 0), coalesce(m.missed, 0)
    FROM used u FULL JOIN missed m ON m.pattern_id = u.pattern_id;
END $$;

-- Stores the analytics of a period: of one template, else of all together and, if asked for, of each that was used or missed.
-- The trend compares the halves of the period: (later - earlier) / (later + earlier), stable up to a tenth.
CREATE OR REPLACE FUNCTION store_pattern_analytics(
    period_start timestamptz, period_end timestamptz, only_pattern uuid, each_pattern boolean)
RETURNS SETOF pattern_analytics
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY
    WITH summary AS MATERIALIZED (
        SELECT * FROM pattern_usage_summary($1, $2, $3)
    ), top AS (
        SELECT jsonb_agg(jsonb_build_object('pattern_id', b.pattern_id, 'pattern_name', t.pattern_name, 'usage_count', b.uses)
                         ORDER BY b.uses DESC, b.pattern_id) AS patterns
        FROM (SELECT s.pattern_id, s.uses FROM summary s WHERE s.uses > 0 ORDER BY s.uses DESC, s.pattern_id LIMIT 10) AS b
        JOIN pattern_templates t ON t.id = b.pattern_id
    ), figures AS (
        SELECT s.pattern_id, s.uses, s.successes, s.execution_time_ms, s.quality_improvement, s.later_uses, s.missed,
               NULL::jsonb AS top_patterns
        FROM summary s
        WHERE $3 IS NOT NULL OR $4
        UNION ALL
        SELECT $3, 0, 0, NULL, NULL, 0, 0, NULL WHERE $3 IS NOT NULL AND NOT EXISTS (SELECT FROM summary)
        UNION ALL
        SELECT NULL, coalesce(sum(s.uses), 0)::bigint, coalesce(sum(s.successes), 0)::bigint, avg(s.execution_time_ms),
               avg(s.quality_improvement), coalesce(sum(s.later_uses), 0)::bigint, coalesce(sum(s.missed), 0)::bigint,
               (SELECT top.patterns FROM top)
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
