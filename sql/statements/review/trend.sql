-- In how many runs a pattern was seen on each of the last days before its latest one, as far as there is any history; days
-- without a run are 0.
SELECT d.day::date AS day, coalesce(s.occurrences, 0) AS occurrences
FROM (SELECT max(day) AS last FROM pattern_daily_statistics WHERE pattern_id = :pattern_id::integer) latest,
     (SELECT date_trunc('day', min(hour)) AS first FROM history_hours WHERE workflow_count > 0) history,
     generate_series(greatest(history.first, latest.last - (:days::integer - 1) * interval '1 day'), latest.last,
                     interval '1 day') AS d (day)
LEFT JOIN pattern_daily_statistics s ON s.pattern_id = :pattern_id::integer AND s.day = d.day
ORDER BY d.day
