UPDATE ingested_sources
SET rows_read = rows_read + :rows_read,
    runs_read = runs_read + :runs_read,
    steps_read = steps_read + :steps_read,
    rows_quarantined = (SELECT count(*) FROM quarantined_records WHERE source_id = :source_id AND pass = ingested_sources.pass),
    redactions = (
        SELECT coalesce(jsonb_object_agg(kind, total), '{}')
        FROM (
            SELECT kind, sum(replaced::bigint) AS total
            FROM (SELECT * FROM jsonb_each_text(redactions) UNION ALL SELECT * FROM jsonb_each_text((:redactions)::jsonb))
                AS counted (kind, replaced)
            GROUP BY kind
        ) AS summed
    ),
    first_event_time = least(first_event_time, :first_event_time),
    last_event_time = greatest(last_event_time, :last_event_time)
WHERE source_id = :source_id;
