-- The last complete day, when the share of its runs without a cost is 20 points above that of the four weeks before.
WITH judged AS (
    SELECT date_trunc('day', CAST(:window_end AS timestamptz), 'UTC') - interval '1 day' AS day
),
shares AS (
    SELECT hour >= day AS is_judged, judged.day, sum(workflow_count) AS runs,
           sum(workflow_count - priced_count)::float8 / nullif(sum(workflow_count), 0) AS unpriced
    FROM judged JOIN history_hours ON hour >= day - interval '28 days' AND hour < day + interval '1 day'
    GROUP BY 1, 2
)
SELECT now.day, now.runs, round(now.unpriced::numeric, 3) AS unpriced, round(before.unpriced::numeric, 3) AS before
FROM shares AS now
JOIN shares AS before ON NOT before.is_judged
WHERE now.is_judged AND now.runs >= 20 AND before.runs >= 20 AND now.unpriced > before.unpriced + 0.2
