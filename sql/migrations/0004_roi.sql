-- Estimates keep their history: each row can be recomputed from its window, aggregates, assumptions and seed.

CREATE TABLE roi_estimates (
    pattern_id                 integer NOT NULL REFERENCES operation_patterns,
    input_hash                 text NOT NULL,
    estimated_at               timestamptz NOT NULL DEFAULT now(),
    roi_version                text NOT NULL,
    assumptions                jsonb NOT NULL,     -- every assumption used, with which of them are assumed
    window_start               timestamptz NOT NULL,
    window_end                 timestamptz NOT NULL,
    exposure_days              integer NOT NULL,
    gap_days                   integer NOT NULL DEFAULT 0,
    occurrences                integer NOT NULL,
    priced_count               integer NOT NULL,
    cost_basis                 text,
    monthly_rate               numeric,
    monthly_rate_low           numeric,
    monthly_rate_high          numeric,
    cost_per_occurrence        numeric,
    cost_low                   numeric,
    cost_high                  numeric,
    tool_cost                  numeric,
    reliability                numeric,
    agent_success_low          numeric,
    agent_success_high         numeric,
    saving_per_occurrence      numeric,
    potential_monthly_savings  numeric,            -- gross
    net_monthly_savings        numeric,
    net_p10                    numeric,
    net_p50                    numeric,
    net_p90                    numeric,
    npv                        numeric,
    npv_p10                    numeric,
    npv_p50                    numeric,
    npv_p90                    numeric,
    probability_of_loss        numeric,
    payback_months             integer,
    roi_percent                numeric,
    break_even_monthly         numeric,
    build_cost                 numeric,
    naive_monthly_savings      numeric,
    naive_factor               numeric,
    verdict                    text NOT NULL CHECK (verdict IN
        ('excluded', 'insufficient_evidence', 'worth_automating', 'promising', 'not_worth_automating')),
    reasons                    text[] NOT NULL DEFAULT '{}',
    flags                      text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (pattern_id, input_hash)
);
CREATE INDEX idx_roi_estimates_recent ON roi_estimates (pattern_id, estimated_at DESC);

ALTER TABLE operation_patterns ADD FOREIGN KEY (pattern_id, current_estimate)
    REFERENCES roi_estimates (pattern_id, input_hash) DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE cost_savings_log (
    saving_id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    optimization_type  text NOT NULL CHECK (optimization_type IN ('tool_call', 'input_split', 'pattern_offload', 'inverted_flow')),
    workflow_id        text REFERENCES workflow_history ON DELETE SET NULL,
    pattern_id         integer REFERENCES operation_patterns,
    baseline_tokens    bigint,
    actual_tokens      bigint,
    saved_tokens       bigint,
    cost_saved_usd     numeric,                    -- may be negative: a failure costs
    notes              text,
    saved_at           timestamptz NOT NULL
);
CREATE INDEX idx_cost_savings_type ON cost_savings_log (optimization_type);
CREATE INDEX idx_cost_savings_workflow ON cost_savings_log (workflow_id);
CREATE INDEX idx_cost_savings_saved_at ON cost_savings_log (saved_at);
