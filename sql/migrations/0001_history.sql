-- Canonical history: what the agents did, as read from the sources, merged once.

CREATE TABLE configured_sources (
    spec          text PRIMARY KEY,                -- path, directory, glob or database URL, as the user wrote it (secrets removed)
    source_type   text NOT NULL DEFAULT 'auto',
    options       jsonb NOT NULL DEFAULT '{}',     -- namespace, mapping file, time zone
    added_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE ingested_sources (
    source_id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    location          text NOT NULL UNIQUE,        -- one file or one table
    spec              text REFERENCES configured_sources ON DELETE SET NULL,
    reader            text NOT NULL,
    namespace         text NOT NULL,
    reader_rank       smallint NOT NULL,           -- the same run seen through two readers: the higher one counts
    options_hash      text NOT NULL DEFAULT '',    -- reader version, mapping, redaction version: a change re-reads the source
    fingerprint       text,                        -- of the content up to byte_offset, else up to size_bytes; NULL: read it again
    inode             bigint,
    size_bytes        bigint,
    changed_ns        bigint,                      -- when the file last changed; NULL: too recent to rely upon, compare the content
    byte_offset       bigint,                      -- where reading continues when the file grows; NULL: its reader starts over
    pass              integer NOT NULL DEFAULT 0,  -- number of times it was read from its beginning
    rows_read         bigint NOT NULL DEFAULT 0,
    runs_read         bigint NOT NULL DEFAULT 0,
    steps_read        bigint NOT NULL DEFAULT 0,
    rows_quarantined  bigint NOT NULL DEFAULT 0,
    redactions        jsonb NOT NULL DEFAULT '{}', -- kind -> count
    first_event_time  timestamptz,
    last_event_time   timestamptz,
    read_completely   boolean NOT NULL DEFAULT false,
    reread_wanted     boolean NOT NULL DEFAULT false,
    gone_since        timestamptz,
    started_at        timestamptz NOT NULL DEFAULT now(),
    finished_at       timestamptz
);

CREATE TABLE workflow_history (
    workflow_id           text PRIMARY KEY CHECK (workflow_id <> ''),
    adw_id                text,
    session_id            text,
    parent_workflow_id    text,
    source                text NOT NULL,
    project               text,
    nl_input              text,
    workflow_template     text,
    workflow_type         text,
    model_used            text,
    status                text CHECK (status IN ('pending', 'running', 'completed', 'failed')),
    start_time            timestamptz,
    end_time              timestamptz,
    duration_seconds      numeric CHECK (duration_seconds >= 0),
    error_message         text,
    error_count           integer CHECK (error_count >= 0),
    retry_count           integer CHECK (retry_count >= 0),
    input_tokens          bigint CHECK (input_tokens >= 0),
    output_tokens         bigint CHECK (output_tokens >= 0),
    cache_read_tokens     bigint CHECK (cache_read_tokens >= 0),
    cache_write_tokens    bigint CHECK (cache_write_tokens >= 0),
    total_tokens          bigint CHECK (total_tokens >= 0),
    estimated_cost_total  numeric(24, 12) CHECK (estimated_cost_total >= 0),
    actual_cost_total     numeric(24, 12) CHECK (actual_cost_total >= 0),
    cost_basis            text NOT NULL CHECK (cost_basis IN ('billed', 'priced', 'unpriced')),
    step_count            integer NOT NULL DEFAULT 0 CHECK (step_count >= 0),
    content_hash          text NOT NULL,
    superseded_by         text,                    -- the same run seen through a better source: leaves every count
    extra                 jsonb,
    event_time            timestamptz NOT NULL,
    landed_at             timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_workflow_history_event_time ON workflow_history (event_time);
CREATE INDEX idx_workflow_history_session ON workflow_history (session_id) WHERE session_id IS NOT NULL;

CREATE TABLE tool_calls (
    workflow_id       text NOT NULL REFERENCES workflow_history ON DELETE CASCADE,
    tool_call_id      text NOT NULL,
    seq               integer NOT NULL,
    agent_id          text,                        -- a sub-agent's steps are a sequence of their own
    tool_name         text,
    tool_params       jsonb,
    command           text,
    cwd               text,
    called_at         timestamptz,
    completed_at      timestamptz,
    duration_seconds  numeric CHECK (duration_seconds >= 0),
    success           boolean,
    exit_code         integer,
    error_message     text,
    input_tokens      bigint CHECK (input_tokens >= 0),
    output_tokens     bigint CHECK (output_tokens >= 0),
    cost_usd          numeric(24, 12) CHECK (cost_usd >= 0),  -- this step's share of the model call that issued it
    request_id        text,
    output_excerpt    text,
    extra             jsonb,                       -- fields we do not know are kept
    event_time        timestamptz,
    PRIMARY KEY (workflow_id, tool_call_id)
);

-- Each source's version of each run: the facts that decide, free of the order of ingest, which version is stored.
CREATE TABLE run_sources (
    workflow_id   text NOT NULL,
    source_id     integer NOT NULL,                -- no foreign key: its check for each row is half the cost of landing it
    content_hash  text NOT NULL,
    is_terminal   boolean NOT NULL,
    started_at    timestamptz,                     -- by these two the id means a run: that of the source's first record
    end_time      timestamptz,
    step_count    integer NOT NULL,
    text_hash     text NOT NULL,                   -- (another start and another text: another run with the same id)
    position      text NOT NULL,
    pass          integer NOT NULL,                -- of the source, in which the run was last seen
    PRIMARY KEY (workflow_id, source_id)
);
CREATE INDEX idx_run_sources_source ON run_sources (source_id);

CREATE TABLE quarantined_records (
    quarantine_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id      integer NOT NULL REFERENCES ingested_sources ON DELETE CASCADE,
    position       text NOT NULL,                  -- line, byte offset or row key inside the source
    reason         text NOT NULL,                  -- a code, e.g. invalid_json, no_time, id_conflict
    detail         text NOT NULL,                  -- what is wrong and what to do
    excerpt        text,                           -- redacted, bounded
    pass           integer NOT NULL,               -- of the source, in which the record was last found bad
    quarantined_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (source_id, position, reason)
);

CREATE TABLE touched_hours (
    hour        timestamptz PRIMARY KEY,
    generation  bigint NOT NULL DEFAULT 0
);

CREATE TABLE history_hours (
    hour               timestamptz PRIMARY KEY,
    generation         bigint NOT NULL,            -- of touched_hours, read under its row lock
    workflow_count     integer NOT NULL,
    step_count         integer NOT NULL,
    spend_usd          numeric NOT NULL,
    priced_count       integer NOT NULL,
    content_hash       text NOT NULL,
    detection_version  text,                       -- NULL until its signatures are detected
    catalogue_version  text,                       -- NULL until its occurrences are counted
    closed_at          timestamptz NOT NULL DEFAULT now()
);
