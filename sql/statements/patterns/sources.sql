SELECT location, reader, rows_read, runs_read, steps_read, rows_quarantined, first_event_time, last_event_time, gone_since,
       finished_at
FROM ingested_sources
ORDER BY location
