-- The queue and its audit trail. Decisions are people's; the pipeline only adds evidence beside them.

CREATE TABLE pattern_approvals (
    pattern_id                 integer PRIMARY KEY REFERENCES operation_patterns,
    status                     text NOT NULL DEFAULT 'pending' CHECK (status IN
        ('pending', 'deferred', 'approved', 'rejected', 'revoked', 'auto-approved', 'auto-rejected')),
    version                    integer NOT NULL DEFAULT 1,   -- changes with status or needs_review only
    needs_review               boolean NOT NULL DEFAULT false,
    review_reason              text,
    confidence_score           numeric(5, 2),
    occurrence_count           integer NOT NULL,
    potential_monthly_savings  numeric,
    net_p10                    numeric,
    net_p50                    numeric,
    net_p90                    numeric,
    npv_p10                    numeric,
    impact_score               numeric,
    verdict                    text,
    tool_sequence              text NOT NULL,      -- the readable form of the pattern
    example_workflows          text[] NOT NULL DEFAULT '{}',
    evidence_hash              text,               -- input_hash of the estimate that the evidence shows
    decided_evidence_hash      text,               -- ... and of the one that was decided upon
    decided_confidence         numeric(5, 2),
    deferred_until             timestamptz,
    reviewed_by                text,
    reviewed_at                timestamptz,
    approval_notes             text,
    created_at                 timestamptz NOT NULL DEFAULT now(),
    updated_at                 timestamptz NOT NULL DEFAULT now(),
    CHECK (needs_review = (review_reason IS NOT NULL))
);
-- The lists of the review, in both their usual forms: one status or all, best first. -Infinity stands for an unknown value,
-- so that it comes last and a page can continue after a row by comparing two values.
CREATE INDEX idx_pattern_approvals_status_value ON pattern_approvals (status, coalesce(npv_p10, '-Infinity'), pattern_id);
CREATE INDEX idx_pattern_approvals_value ON pattern_approvals (coalesce(npv_p10, '-Infinity'), pattern_id);
CREATE INDEX idx_pattern_approvals_savings ON pattern_approvals (coalesce(potential_monthly_savings, '-Infinity'), pattern_id);
CREATE INDEX idx_pattern_approvals_confidence ON pattern_approvals (coalesce(confidence_score, '-Infinity'), pattern_id);
CREATE INDEX idx_pattern_approvals_occurrences ON pattern_approvals (occurrence_count, pattern_id);
CREATE INDEX idx_pattern_approvals_newest ON pattern_approvals (created_at, pattern_id);
CREATE INDEX idx_pattern_approvals_status_counts ON pattern_approvals (status, needs_review);
CREATE INDEX idx_pattern_approvals_needs_review ON pattern_approvals (pattern_id) WHERE needs_review;

-- Words to search a pattern by: those of its signature and of its readable form.
CREATE FUNCTION pattern_words(signature text, readable text) RETURNS tsvector
LANGUAGE sql IMMUTABLE AS $$
    SELECT to_tsvector('simple'::regconfig, regexp_replace(lower(signature || ' ' || readable), '[^[:alnum:]]+', ' ', 'g'))
$$;
CREATE INDEX idx_operation_patterns_words ON operation_patterns USING gin (pattern_words(pattern_signature, readable));
CREATE INDEX idx_operation_patterns_type ON operation_patterns (pattern_type);

CREATE TABLE pattern_review_history (
    history_id      bigint PRIMARY KEY,            -- given under the chain's lock: its order is the chain's order
    pattern_id      integer NOT NULL REFERENCES pattern_approvals,
    action          text NOT NULL CHECK (action IN ('approved', 'rejected', 'deferred', 'commented', 'reopened',
                                                    'revoked', 'auto-approved', 'auto-rejected', 'flagged')),
    reviewer        text NOT NULL CHECK (btrim(reviewer) <> ''),
    notes           text,
    from_status     text,
    to_status       text,
    evidence_hash   text,
    created_at      timestamptz NOT NULL,
    previous_hash   text NOT NULL,                 -- of the row before: a removed or altered row breaks the chain
    row_hash        text NOT NULL
);
CREATE INDEX idx_pattern_review_history_pattern ON pattern_review_history (pattern_id, history_id);

CREATE FUNCTION pattern_review_history_row_hash(r pattern_review_history) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT encode(sha256(convert_to(jsonb_build_array(
        r.history_id, r.pattern_id, r.action, r.reviewer, r.notes, r.from_status, r.to_status, r.evidence_hash,
        extract(epoch FROM r.created_at), r.previous_hash)::text, 'UTF8')), 'hex')
$$;

CREATE FUNCTION pattern_review_history_chain() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('pattern_review_history'));
    NEW.created_at := clock_timestamp();
    SELECT h.history_id + 1, h.row_hash INTO NEW.history_id, NEW.previous_hash
        FROM pattern_review_history h ORDER BY h.history_id DESC LIMIT 1;
    IF NOT FOUND THEN
        NEW.history_id := 1;
        NEW.previous_hash := 'genesis';
    END IF;
    NEW.row_hash := pattern_review_history_row_hash(NEW);
    RETURN NEW;
END $$;

CREATE TRIGGER pattern_review_history_chain BEFORE INSERT ON pattern_review_history
    FOR EACH ROW EXECUTE FUNCTION pattern_review_history_chain();

CREATE FUNCTION pattern_review_history_is_append_only() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'pattern_review_history is append-only: % refused', TG_OP USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER pattern_review_history_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON pattern_review_history
    FOR EACH STATEMENT EXECUTE FUNCTION pattern_review_history_is_append_only();

-- Also when session_replication_role switches ordinary triggers off.
ALTER TABLE pattern_review_history ENABLE ALWAYS TRIGGER pattern_review_history_chain;
ALTER TABLE pattern_review_history ENABLE ALWAYS TRIGGER pattern_review_history_no_change;
