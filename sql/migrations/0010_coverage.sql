-- Spans of time that a directory of sessions covered when it was read: between its oldest and its newest file a day
-- without a session was a quiet one, while a day whose files were gone before anybody read them is covered by nothing.
CREATE TABLE source_coverage (
    spec              text NOT NULL REFERENCES configured_sources ON DELETE CASCADE,
    first_event_time  timestamptz NOT NULL,
    last_event_time   timestamptz NOT NULL CHECK (last_event_time >= first_event_time),
    PRIMARY KEY (spec, first_event_time)
);
