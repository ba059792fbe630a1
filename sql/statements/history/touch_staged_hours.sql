-- In order, like everything that touches hours, so that nobody deadlocks.
INSERT INTO touched_hours AS touched (hour, generation)
SELECT hour, 1 FROM staged_hours ORDER BY hour
ON CONFLICT (hour) DO UPDATE SET generation = touched.generation + 1;
