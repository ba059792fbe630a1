-- The last id of the next batch of events that are old enough, behind :after.
SELECT max(id) FROM (
    SELECT id FROM event_logs WHERE id > :after AND timestamp < :before ORDER BY id LIMIT :batch
) AS batch;
