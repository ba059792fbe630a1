-- What was detected: narrow rows of dictionary ids, one set per workflow.

CREATE TABLE policy_versions (
    stage       text NOT NULL CHECK (stage IN ('detection', 'confidence', 'roi', 'redaction', 'queue')),
    version     text NOT NULL,
    policy      jsonb NOT NULL,                    -- the section as it was, so that any figure can be recomputed
    first_used  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stage, version)
);

CREATE TABLE active_versions (
    stage    text PRIMARY KEY CHECK (stage IN ('detection', 'catalogue', 'confidence', 'roi')),
    version  text NOT NULL
);

CREATE TABLE signatures (
    signature_id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    signature         text NOT NULL UNIQUE CHECK (signature ~ '^[a-z0-9_.+-]+(:[a-z0-9_.+-]+){2}$')
);

CREATE TABLE detection_evidence (
    evidence_id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    layer         text NOT NULL CHECK (layer IN ('step', 'task', 'error', 'template')),
    rule_id       text NOT NULL,
    matched_text  text NOT NULL,
    UNIQUE (layer, rule_id, matched_text)
);

-- Commands with their variable parts as typed slots; agent and MCP tools have templates of the same kind.
CREATE TABLE command_templates (
    template_id  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    template     text NOT NULL UNIQUE
);

CREATE TABLE workflow_characteristics (
    workflow_id  text PRIMARY KEY REFERENCES workflow_history ON DELETE CASCADE,
    matched_characteristics jsonb NOT NULL
);

-- The ids of dictionaries carry no foreign keys: dictionaries never shrink, and every load would look each row up thrice.
CREATE TABLE detected_signatures (
    workflow_id   text NOT NULL REFERENCES workflow_history ON DELETE CASCADE,
    event_time    timestamptz NOT NULL,            -- the workflow's: it decides the hour of everything derived
    step_seq      integer NOT NULL,                -- position of the step in the workflow; -1: not from a step
    part          smallint NOT NULL,               -- order inside the step or the workflow; 0 names it
    signature_id  integer NOT NULL,
    evidence_id   integer NOT NULL,
    template_id   integer,                         -- of the whole step, on its naming part
    PRIMARY KEY (workflow_id, step_seq, part)
);
CREATE INDEX idx_detected_signatures_event_time ON detected_signatures (event_time);
