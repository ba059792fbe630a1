-- Uses of a template (NULL: of all) by day, week or month of UTC; a period without any is there with a count of 0.
CREATE OR REPLACE FUNCTION pattern_usage_trends(pattern uuid, period_start timestamptz, period_end timestamptz, bucket text)
RETURNS TABLE (bucket_start timestamptz, usage_count bigint, success_count bigint, success_rate numeric,
               average_execution_time_ms numeric, average_quality_improvement numeric)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    IF bucket NOT IN ('day', 'week', 'month') THEN
        RAISE EXCEPTION 'a bucket is a day, a week or a month' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN QUERY
    SELECT b.start, u.uses, u.successes, u.successes::numeric / nullif(u.uses, 0), u.execution_time_ms, u.quality_improvement
    FROM (
        SELECT s AT TIME ZONE 'UTC' AS start, (s + ('1 ' || $4)::interval) AT TIME ZONE 'UTC' AS next
        FROM generate_series(date_trunc($4, $2 AT TIME ZONE 'UTC'), ($3 AT TIME ZONE 'UTC') - interval '1 microsecond',
                             ('1 ' || $4)::interval) AS s
    ) AS b
    CROSS JOIN LATERAL (
        SELECT count(*) AS uses, count(*) FILTER (WHERE e.success) AS successes,
               avg(e.execution_time_ms) AS execution_time_ms, avg(e.quality_improvement) AS quality_improvement
        FROM pattern_usage_events e
        WHERE e.used_at >= greatest(b.start, $2) AND e.used_at < least(b.next, $3) AND ($1 IS NULL OR e.pattern_id = $1)
    ) AS u
    ORDER BY 1;
END $$;
