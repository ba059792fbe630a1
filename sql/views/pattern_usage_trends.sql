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
    WITH used AS (
        SELECT date_trunc($4, e.used_at, 'UTC') AS start, count(*) AS uses, count(*) FILTER (WHERE e.success) AS successes,
               avg(e.execution_time_ms) AS execution_time_ms, avg(e.quality_improvement) AS quality_improvement
        FROM pattern_usage_events e
        WHERE e.used_at >= $2 AND e.used_at < $3 AND ($1 IS NULL OR e.pattern_id = $1)
        GROUP BY 1
    )
    SELECT b.start AT TIME ZONE 'UTC', coalesce(u.uses, 0), coalesce(u.successes, 0), u.successes::numeric / u.uses,
           u.execution_time_ms, u.quality_improvement
    FROM generate_series(date_trunc($4, $2 AT TIME ZONE 'UTC'), ($3 AT TIME ZONE 'UTC') - interval '1 microsecond',
                         ('1 ' || $4)::interval) AS b (start)
    LEFT JOIN used u ON u.start = b.start AT TIME ZONE 'UTC'
    ORDER BY 1;
END $$;
