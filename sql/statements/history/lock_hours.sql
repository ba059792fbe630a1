-- Whoever merges into one of these hours from now on waits, or has committed and is seen by the next statement.
SELECT hour FROM touched_hours WHERE hour >= :start AND hour < :end ORDER BY hour FOR UPDATE;
