-- Realised ROI: what automations did, what that saved, how far it bore out the estimate, and how it moved confidence.

-- The aggregates that an estimate was made of: with its window and its policy version it can be computed again.
ALTER TABLE roi_estimates ADD COLUMN inputs jsonb NOT NULL DEFAULT '{}';

CREATE TABLE pattern_executions (
    execution_id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    idempotency_key         text NOT NULL UNIQUE CHECK (btrim(idempotency_key) <> ''),
    content_hash            text NOT NULL,         -- of the report: the same key with another content is refused
    pattern_id              integer NOT NULL REFERENCES operation_patterns,
    workflow_id             text REFERENCES workflow_history ON DELETE SET NULL,
    reported_workflow_id    text,                  -- as reported: the execution may precede its run, or outlive it
    execution_time_seconds  numeric CHECK (execution_time_seconds >= 0),
    estimated_time_seconds  numeric CHECK (estimated_time_seconds >= 0),
    actual_cost             numeric CHECK (actual_cost >= 0),
    estimated_cost          numeric CHECK (estimated_cost >= 0),  -- as reported; never used as the baseline
    tokens                  bigint CHECK (tokens >= 0),
    success                 boolean NOT NULL,
    error_message           text,                  -- redacted
    reported_by             text NOT NULL,
    executed_at             timestamptz NOT NULL,
    recorded_at             timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_pattern_executions_pattern ON pattern_executions (pattern_id, executed_at DESC);
CREATE INDEX idx_pattern_executions_workflow ON pattern_executions (workflow_id) WHERE workflow_id IS NOT NULL;

-- A saving is that of one execution, or reported by itself under a key.
ALTER TABLE cost_savings_log
    ADD COLUMN execution_id    bigint UNIQUE REFERENCES pattern_executions ON DELETE CASCADE,
    ADD COLUMN idempotency_key text UNIQUE CHECK (btrim(idempotency_key) <> ''),
    ADD COLUMN content_hash    text,
    ADD COLUMN reported_by     text,
    ADD CHECK (num_nonnulls(execution_id, idempotency_key) = 1),
    ADD CHECK ((idempotency_key IS NULL) = (content_hash IS NULL));
CREATE INDEX idx_cost_savings_pattern ON cost_savings_log (pattern_id);

-- Derived from the executions and the estimate that was current at the approval.
CREATE TABLE pattern_roi_summary (
    pattern_id                  integer PRIMARY KEY REFERENCES operation_patterns,
    total_executions            integer NOT NULL,
    successful_executions       integer NOT NULL CHECK (successful_executions BETWEEN 0 AND total_executions),
    success_rate                numeric NOT NULL CHECK (success_rate BETWEEN 0 AND 1),
    priced_executions           integer NOT NULL,  -- with a reported cost and a known baseline
    total_cost_saved_usd        numeric,
    average_cost_saved_usd      numeric,
    total_time_saved_seconds    numeric,
    average_time_saved_seconds  numeric,
    total_actual_cost           numeric,
    invested_usd                numeric,           -- build, and maintenance up to the latest execution
    roi_percentage              numeric,
    effectiveness               text NOT NULL CHECK (effectiveness IN
        ('excellent', 'good', 'acceptable', 'marginal', 'poor', 'insufficient')),
    last_executed_at            timestamptz NOT NULL,
    baseline_cost               numeric,
    baseline_hash               text,              -- input_hash of the estimate that the baseline is of
    approved                    boolean NOT NULL,  -- false: never approved, the baseline is the current estimate's
    updated_at                  timestamptz NOT NULL DEFAULT now()
);

-- Was the estimate right? A row per pattern that was ever approved and has executions; those revoked stay in.
CREATE TABLE roi_validations (
    pattern_id                 integer PRIMARY KEY REFERENCES operation_patterns,
    validation                 text NOT NULL CHECK (validation IN ('confirmed', 'refuted', 'inconclusive')),
    executions                 integer NOT NULL,   -- priced ones
    more_executions            bigint,             -- until it can be decided
    estimated                  numeric,            -- saving of one execution, as the estimate had it
    realised_mean              numeric,
    deviation                  numeric,
    difference                 numeric,
    difference_low             numeric,
    difference_high            numeric,
    minimum_detectable_effect  numeric,
    baseline_hash              text,
    updated_at                 timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE pattern_confidence_history (
    change_id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pattern_id            integer NOT NULL REFERENCES operation_patterns,
    old_confidence        numeric(5, 2),
    new_confidence        numeric(5, 2) NOT NULL CHECK (new_confidence BETWEEN 0 AND 100),
    reason                text NOT NULL CHECK (reason IN ('executions', 'statistics')),
    snapshot              jsonb NOT NULL,          -- the facts that the new value is a function of
    changed_at            timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_pattern_confidence_history_pattern ON pattern_confidence_history (pattern_id, change_id);
