-- A new pass over a source; until it is complete nothing that an older pass said is taken back.
INSERT INTO ingested_sources AS source (location, spec, reader, reader_rank, namespace, options_hash, pass)
VALUES (:location, :spec, :reader, :reader_rank, :namespace, :options_hash, 1)
ON CONFLICT (location) DO UPDATE
SET spec = coalesce(source.spec, excluded.spec),
    reader = excluded.reader,
    reader_rank = excluded.reader_rank,
    namespace = excluded.namespace,
    options_hash = excluded.options_hash,
    pass = source.pass + 1,
    fingerprint = NULL,
    changed_ns = NULL,
    byte_offset = NULL,
    rows_read = 0,
    runs_read = 0,
    steps_read = 0,
    rows_quarantined = 0,
    redactions = '{}',
    first_event_time = NULL,
    last_event_time = NULL,
    read_completely = false,
    gone_since = NULL,
    started_at = now(),
    finished_at = NULL
RETURNING *;
