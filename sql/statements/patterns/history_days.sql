-- Days with history, and whether a source covers them: a day that none covers is a gap, not a quiet day.
WITH days AS (
    SELECT day::date
    FROM (SELECT min(hour) AS first, max(hour) AS last FROM history_hours WHERE workflow_count > 0) h,
         generate_series(date_trunc('day', h.first, 'UTC') AT TIME ZONE 'UTC',
                         date_trunc('day', h.last, 'UTC') AT TIME ZONE 'UTC', interval '1 day') AS day
),
active AS (
    SELECT DISTINCT (hour AT TIME ZONE 'UTC')::date AS day FROM history_hours WHERE workflow_count > 0
)
SELECT d.day, a.day IS NOT NULL AS has_history,
       a.day IS NOT NULL OR EXISTS (
           SELECT FROM ingested_sources s
           WHERE d.day BETWEEN (s.first_event_time AT TIME ZONE 'UTC')::date AND (s.last_event_time AT TIME ZONE 'UTC')::date
       ) OR EXISTS (
           SELECT FROM source_coverage c
           WHERE d.day BETWEEN (c.first_event_time AT TIME ZONE 'UTC')::date AND (c.last_event_time AT TIME ZONE 'UTC')::date
       ) AS covered
FROM days d
LEFT JOIN active a USING (day)
WHERE d.day > (SELECT max(day) FROM days) - CAST(:window_days AS integer)
ORDER BY d.day
