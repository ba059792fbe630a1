-- Patterns, their occurrences, and the aggregates that every published number is derived from.

CREATE TABLE operation_patterns (
    pattern_id                 integer PRIMARY KEY REFERENCES signatures (signature_id),
    pattern_signature          text NOT NULL UNIQUE,
    pattern_type               text NOT NULL,      -- the signature's category
    kind                       text NOT NULL CHECK (kind IN ('operation', 'sequence', 'error_fix')),
    readable                   text NOT NULL,
    automatable                boolean NOT NULL,
    exclusion_reason           text,
    detection_version          text NOT NULL,
    first_detected             timestamptz,        -- event times, not clock times
    last_seen                  timestamptz,
    occurrence_count           integer NOT NULL DEFAULT 0 CHECK (occurrence_count >= 0),
    intent_count               integer NOT NULL DEFAULT 0 CHECK (intent_count >= 0),
    execution_count            bigint NOT NULL DEFAULT 0 CHECK (execution_count >= 0),
    completed_count            integer NOT NULL DEFAULT 0,
    failed_count               integer NOT NULL DEFAULT 0,
    priced_count               integer NOT NULL DEFAULT 0,
    cost_basis                 text CHECK (cost_basis IN ('step', 'workflow', 'intent', 'unpriced')),
    distinct_days              integer NOT NULL DEFAULT 0,
    projects                   integer NOT NULL DEFAULT 0,
    models                     text[] NOT NULL DEFAULT '{}',
    attributed_cost_usd        numeric,
    portfolio_cost_usd         numeric,
    naive_cost_usd             numeric,            -- whole-run cost of every run it was seen in: what must not be claimed
    typical_input_pattern      text,
    typical_operations         jsonb,
    typical_files_accessed     jsonb,
    avg_tokens_with_llm        numeric,
    avg_cost_with_llm          numeric,
    median_cost_with_llm       numeric,
    p90_cost_with_llm          numeric,
    avg_tokens_with_tool       numeric,
    avg_cost_with_tool         numeric,
    potential_monthly_savings  numeric,
    impact_score               numeric,
    detection_confidence       numeric(5, 2) CHECK (detection_confidence BETWEEN 0 AND 100),
    confidence_score           numeric(5, 2) CHECK (confidence_score BETWEEN 0 AND 100),
    confidence_version         text,
    automation_status          text NOT NULL DEFAULT 'detected' CHECK (automation_status IN
        ('detected', 'in_review', 'approved', 'rejected', 'implemented', 'active', 'deprecated')),
    current_estimate           text,
    created_at                 timestamptz NOT NULL DEFAULT now(),
    updated_at                 timestamptz NOT NULL DEFAULT now(),
    CHECK (automatable OR exclusion_reason IS NOT NULL)
);

CREATE TABLE pattern_occurrences (
    pattern_id           integer NOT NULL REFERENCES operation_patterns,
    workflow_id          text NOT NULL REFERENCES workflow_history ON DELETE CASCADE,
    occurred_at          timestamptz NOT NULL,     -- the workflow's event time
    detected_at          timestamptz NOT NULL DEFAULT now(),
    evidence_id          integer,
    layer                text NOT NULL CHECK (layer IN ('step', 'sequence', 'task', 'error', 'template')),
    similarity_score     smallint NOT NULL CHECK (similarity_score BETWEEN 0 AND 100),
    hit_count            integer NOT NULL CHECK (hit_count > 0),
    secondary_hits       integer NOT NULL CHECK (secondary_hits BETWEEN 0 AND hit_count), -- of them: another signature names the step
    cost_basis           text NOT NULL CHECK (cost_basis IN ('step', 'workflow', 'intent', 'unpriced')),
    attributed_cost_usd  numeric,
    portfolio_cost_usd   numeric,
    run_cost_usd         numeric,                  -- of the whole run: what a naive count would claim
    attributed_tokens    numeric,
    attributed_seconds   numeric,
    succeeded            boolean,
    detection_version    text NOT NULL,
    catalogue_version    text NOT NULL,
    PRIMARY KEY (pattern_id, workflow_id),
    CHECK ((attributed_cost_usd IS NULL) = (cost_basis IN ('intent', 'unpriced')))
);
CREATE INDEX idx_pattern_occurrences_pattern ON pattern_occurrences (pattern_id, occurred_at DESC);
CREATE INDEX idx_pattern_occurrences_workflow ON pattern_occurrences (workflow_id);
CREATE INDEX idx_pattern_occurrences_detected ON pattern_occurrences (occurred_at, detected_at);

CREATE TABLE pattern_hourly_statistics (
    hour               timestamptz NOT NULL,
    pattern_id         integer NOT NULL REFERENCES operation_patterns,
    occurrences        integer NOT NULL,           -- workflows, intent rows apart
    intents            integer NOT NULL,
    hits               bigint NOT NULL,
    completed          integer NOT NULL,
    failed             integer NOT NULL,
    error_n            integer NOT NULL,           -- runs that report an error count
    error_sum          bigint NOT NULL,
    retry_sum          bigint NOT NULL,
    step_n             integer NOT NULL,           -- rows priced on basis step
    step_sum           numeric NOT NULL,
    step_sumsq         numeric NOT NULL,
    run_n              integer NOT NULL,           -- rows priced on basis workflow
    run_sum            numeric NOT NULL,
    run_sumsq          numeric NOT NULL,
    cost_min           numeric,
    cost_max           numeric,
    portfolio_sum      numeric NOT NULL,
    naive_sum          numeric NOT NULL,           -- whole-run cost of the same runs
    tokens_n           integer NOT NULL,
    tokens_sum         numeric NOT NULL,
    tokens_sumsq       numeric NOT NULL,
    seconds_n          integer NOT NULL,           -- rows with a duration above zero
    seconds_sum        numeric NOT NULL,
    seconds_sumsq      numeric NOT NULL,
    first_event        timestamptz NOT NULL,
    last_event         timestamptz NOT NULL,
    PRIMARY KEY (hour, pattern_id)
);

-- The same partial aggregates a day: totals read days, so an hour costs the same at any length of history.
CREATE TABLE pattern_daily_statistics (
    LIKE pattern_hourly_statistics,
    FOREIGN KEY (pattern_id) REFERENCES operation_patterns
);
ALTER TABLE pattern_daily_statistics RENAME COLUMN hour TO day;
ALTER TABLE pattern_daily_statistics ADD PRIMARY KEY (day, pattern_id);
CREATE INDEX idx_pattern_daily_statistics_pattern ON pattern_daily_statistics (pattern_id, day);
