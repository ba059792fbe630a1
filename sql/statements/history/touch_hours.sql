-- The old and the new hour of every run that was inserted, corrected, moved, deleted or merged with another; in order, so
-- that nobody deadlocks.
INSERT INTO touched_hours AS touched (hour, generation)
SELECT date_trunc('hour', moment, 'UTC'), 1
FROM resolved
CROSS JOIN LATERAL (VALUES (stored_event_time), (event_time)) AS either (moment)
WHERE action IN ('insert', 'update', 'delete', 'regroup') AND moment IS NOT NULL
GROUP BY 1
ORDER BY 1
ON CONFLICT (hour) DO UPDATE SET generation = touched.generation + 1;
