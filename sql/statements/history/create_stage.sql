-- One batch on its way into history; everything here is gone with the transaction.
CREATE TEMPORARY TABLE staged_runs (workflow_id text NOT NULL) ON COMMIT DROP;

CREATE TEMPORARY TABLE staged_hours (hour timestamptz NOT NULL) ON COMMIT DROP;

CREATE TEMPORARY TABLE staged_versions (
    ordinal       integer,                         -- row of the batch; NULL: the source no longer has the run
    workflow_id   text NOT NULL,
    content_hash  text,
    is_terminal   boolean,
    started_at    timestamptz,
    end_time      timestamptz,
    event_time    timestamptz,
    step_count    integer,
    text_hash     text,
    position      text
) ON COMMIT DROP;

CREATE TEMPORARY TABLE ranked_versions (
    workflow_id    text NOT NULL,
    source_id      integer NOT NULL,
    content_hash   text NOT NULL,
    position       text NOT NULL,
    pass           integer NOT NULL,
    contradicts    boolean NOT NULL,               -- another run under the same id
    rival_location text NOT NULL,
    place          integer NOT NULL                -- 1 is the version to store
) ON COMMIT DROP;

CREATE TEMPORARY TABLE resolved (
    workflow_id        text NOT NULL,
    ordinal            integer,
    action             text NOT NULL CHECK (action IN ('insert', 'update', 'unchanged', 'delete', 'reread', 'regroup')),
    wanted_source      integer,
    stored_event_time  timestamptz,
    event_time         timestamptz
) ON COMMIT DROP;

CREATE TEMPORARY TABLE staged_quarantine (
    position  text NOT NULL,
    reason    text NOT NULL,
    detail    text NOT NULL,
    excerpt   text
) ON COMMIT DROP;

CREATE TEMPORARY TABLE corrected_runs (LIKE workflow_history INCLUDING DEFAULTS) ON COMMIT DROP;
