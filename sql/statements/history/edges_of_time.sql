-- Runs that no complete partition counts: two index ranges at the ends of the time line.
SELECT count(*) FILTER (WHERE event_time < :first_partition) AS before_start,
       count(*) FILTER (WHERE event_time >= now() + interval '1 day') AS in_future,
       count(*) FILTER (WHERE event_time >= date_trunc('hour', now(), 'UTC')
           AND event_time < date_trunc('hour', now(), 'UTC') + interval '1 hour') AS running_hour,
       now() AS landed_at
FROM workflow_history
WHERE superseded_by IS NULL AND (event_time < :first_partition OR event_time >= date_trunc('hour', now(), 'UTC'));
