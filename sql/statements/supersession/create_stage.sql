-- The sessions that this transaction decides anew; everything here is gone with it.
CREATE TEMPORARY TABLE shared_sessions (session_id text PRIMARY KEY) ON COMMIT DROP;

CREATE TEMPORARY TABLE former_merges (
    workflow_id     text PRIMARY KEY,
    superseded_by   text,
    merged_content  text,
    event_time      timestamptz NOT NULL
) ON COMMIT DROP;

CREATE TEMPORARY TABLE shared_runs (
    workflow_id    text PRIMARY KEY,
    session_id     text NOT NULL,
    rank           smallint NOT NULL,
    start_time     timestamptz,
    superseded_by  text
) ON COMMIT DROP;

CREATE TEMPORARY TABLE shared_calls (
    session_id    text NOT NULL,
    supplier_id   text NOT NULL,                   -- the run that its source put it into
    tool_call_id  text NOT NULL,
    rank          smallint NOT NULL,
    holder_id     text NOT NULL,                   -- the run that it counts in
    twin_id       text,                            -- supplier of the better call that it is the same as; NULL: it counts
    twin_call_id  text,
    request_id    text,
    tool_name     text,
    is_numbered   boolean NOT NULL,                -- its source has no ids of calls
    seq           integer NOT NULL,
    event_time    timestamptz,
    PRIMARY KEY (supplier_id, tool_call_id)
) ON COMMIT DROP;

CREATE TEMPORARY TABLE shared_links (
    supplier_id   text NOT NULL,
    tool_call_id  text NOT NULL,
    holder_id     text NOT NULL
) ON COMMIT DROP;
