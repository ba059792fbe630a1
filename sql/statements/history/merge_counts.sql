SELECT count(*) FILTER (WHERE action = 'insert') AS inserted,
       count(*) FILTER (WHERE action = 'update') AS updated,
       count(*) FILTER (WHERE action = 'unchanged' AND ordinal IS NOT NULL) AS unchanged,
       count(*) FILTER (WHERE action = 'delete') AS deleted,
       count(*) FILTER (WHERE action = 'update'
           AND date_trunc('hour', stored_event_time, 'UTC') <> date_trunc('hour', event_time, 'UTC')) AS moved
FROM resolved;
