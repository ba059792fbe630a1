-- What the files that are there now cover together, united with the former spans that it touches.
WITH present AS (
    SELECT min(first_event_time) AS first, max(last_event_time) AS last
    FROM ingested_sources
    WHERE spec = :spec AND gone_since IS NULL AND reader = ANY (:readers)
),
touched AS (
    DELETE FROM source_coverage AS span
    USING present
    WHERE span.spec = :spec AND span.first_event_time <= present.last AND span.last_event_time >= present.first
    RETURNING span.first_event_time, span.last_event_time
),
united AS (
    SELECT least(present.first, (SELECT min(first_event_time) FROM touched)) AS first,
           greatest(present.last, (SELECT max(last_event_time) FROM touched)) AS last
    FROM present
    WHERE present.first IS NOT NULL
)
INSERT INTO source_coverage AS span (spec, first_event_time, last_event_time)
SELECT :spec, first, last FROM united
ON CONFLICT (spec, first_event_time) DO UPDATE SET last_event_time = excluded.last_event_time;
