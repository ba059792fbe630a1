-- Hours with runs that no merge of ours has touched, or with a closed hour that is all there is of them. An index probe for
-- each hour: reading the whole window would cost as much as counting it.
INSERT INTO touched_hours (hour, generation)
SELECT hour, 0
FROM generate_series(:start, :end - interval '1 hour', interval '1 hour') AS known (hour)
WHERE NOT EXISTS (SELECT FROM touched_hours AS touched WHERE touched.hour = known.hour)
  AND (EXISTS (SELECT FROM workflow_history
               WHERE event_time >= known.hour AND event_time < known.hour + interval '1 hour')
       OR EXISTS (SELECT FROM history_hours AS closed WHERE closed.hour = known.hour))
ORDER BY hour
ON CONFLICT (hour) DO NOTHING;
