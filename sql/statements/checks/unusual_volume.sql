-- The last complete day, when its number of runs is far from that of the same weekday in the four weeks before.
WITH judged AS (
    SELECT date_trunc('day', CAST(:window_end AS timestamptz), 'UTC') - interval '1 day' AS day
),
counted AS (
    SELECT judged.day - weeks * interval '7 days' AS day, weeks,
           (SELECT coalesce(sum(h.workflow_count), 0) FROM history_hours h
            WHERE h.hour >= judged.day - weeks * interval '7 days'
              AND h.hour < judged.day - weeks * interval '7 days' + interval '1 day') AS runs
    FROM judged, generate_series(0, 4) AS weeks
),
before AS (
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY runs) AS usual
    FROM counted
    WHERE weeks > 0 AND day >= (SELECT min(hour) FROM history_hours WHERE workflow_count > 0)
    HAVING count(*) >= 3
)
SELECT counted.day, counted.runs, before.usual
FROM counted, before
WHERE weeks = 0 AND abs(runs - usual) >= 20 AND NOT runs BETWEEN usual / 4 AND usual * 4
