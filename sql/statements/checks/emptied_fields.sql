-- Fields that a source used to fill and hardly fills any more: its format changed. The last complete day against the four
-- weeks before.
WITH judged AS (
    SELECT date_trunc('day', CAST(:window_end AS timestamptz), 'UTC') - interval '1 day' AS day
),
filled AS (
    SELECT w.source, field.name, w.event_time >= judged.day AS is_judged, count(*) AS runs,
           avg(field.is_filled::integer) AS share
    FROM judged
    JOIN workflow_history w
        ON w.event_time >= judged.day - interval '28 days' AND w.event_time < judged.day + interval '1 day'
    CROSS JOIN LATERAL (VALUES
        ('nl_input', w.nl_input IS NOT NULL),
        ('project', w.project IS NOT NULL),
        ('model_used', w.model_used IS NOT NULL),
        ('status', w.status IS NOT NULL),
        ('start_time', w.start_time IS NOT NULL),
        ('total_tokens', w.total_tokens IS NOT NULL),
        ('steps', w.step_count > 0)
    ) AS field (name, is_filled)
    WHERE w.superseded_by IS NULL
    GROUP BY 1, 2, 3
)
SELECT now.source, now.name AS field, now.runs, round(now.share, 3) AS filled, round(before.share, 3) AS before
FROM filled AS now
JOIN filled AS before ON (before.source, before.name) = (now.source, now.name) AND NOT before.is_judged
WHERE now.is_judged AND now.runs >= 20 AND before.runs >= 20 AND before.share >= 0.9 AND now.share <= 0.5
ORDER BY now.source, now.name
LIMIT 20
