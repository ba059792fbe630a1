-- The library: approved patterns as templates that a team builds, uses, relates and retires.

-- Weighted words of a template: those of its name count most. A tsvector is bounded, so of the code only its beginning.
CREATE FUNCTION template_words(name text, description text, code text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT setweight(to_tsvector('simple'::regconfig, regexp_replace(lower(name), '[^[:alnum:]]+', ' ', 'g')), 'A')
        || setweight(to_tsvector('simple'::regconfig, regexp_replace(lower(left(coalesce(description, ''), 20000)), '[^[:alnum:]]+', ' ', 'g')), 'B')
        || setweight(to_tsvector('simple'::regconfig, regexp_replace(lower(left(code, 50000)), '[^[:alnum:]]+', ' ', 'g')), 'C')
$$;

-- Where a template stands among the best: lower end of the 95 % Wilson interval of its success, times ln(1 + uses).
CREATE FUNCTION template_rank(uses bigint, success_rate numeric) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN uses > 0 THEN
        (success_rate::float8 + 1.9207 / uses
            - 1.96 * sqrt(success_rate::float8 * (1 - success_rate::float8) / uses + 0.9604 / uses::float8 ^ 2))
        / (1 + 3.8416 / uses) * ln(1 + uses::float8)
        ELSE 0 END
$$;

-- The state of a template's life: active, stale (not used for 30 days), deprecated.
CREATE FUNCTION template_lifecycle(is_deprecated boolean, last_used_at timestamptz, created_at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN is_deprecated THEN 'deprecated'
                WHEN coalesce(last_used_at, created_at) < now() - interval '30 days' THEN 'stale'
                ELSE 'active' END
$$;

CREATE TABLE pattern_templates (
    id                     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    pattern_name           text NOT NULL CHECK (btrim(pattern_name) <> ''),
    pattern_type           text NOT NULL CHECK (btrim(pattern_type) <> ''),
    language               text NOT NULL CHECK (btrim(language) <> ''),
    template_code          text NOT NULL CHECK (btrim(template_code) <> ''),
    category               text,
    description            text,
    example_usage          text,
    source                 text,                   -- `mined`: it is that of the pattern whose signature is its name
    confidence_score       numeric NOT NULL DEFAULT 0.5 CHECK (confidence_score BETWEEN 0 AND 1),
    usage_count            bigint NOT NULL DEFAULT 0 CHECK (usage_count >= 0),        -- with the next and last_used_at: of
    success_rate           numeric NOT NULL DEFAULT 0.5 CHECK (success_rate BETWEEN 0 AND 1), -- its events, by trigger
    complexity_score       integer CHECK (complexity_score BETWEEN 0 AND 10),
    maintainability_score  numeric CHECK (maintainability_score BETWEEN 0 AND 1),
    performance_score      numeric CHECK (performance_score BETWEEN 0 AND 1),
    parent_pattern_id      uuid REFERENCES pattern_templates ON DELETE SET NULL CHECK (parent_pattern_id <> id),
    is_deprecated          boolean NOT NULL DEFAULT false,
    deprecated_by_id       uuid REFERENCES pattern_templates ON DELETE SET NULL CHECK (deprecated_by_id <> id),
    discovered_at          timestamptz NOT NULL DEFAULT now(),
    last_used_at           timestamptz,
    updated_at             timestamptz NOT NULL DEFAULT now(),
    created_at             timestamptz NOT NULL DEFAULT now(),
    created_by             text NOT NULL DEFAULT 'system',
    tags                   text[] NOT NULL DEFAULT '{}',
    context                jsonb NOT NULL DEFAULT '{}',
    -- Beside those: what people's edits are counted by, and what is searched.
    version                integer NOT NULL DEFAULT 1,
    words                  tsvector GENERATED ALWAYS AS (template_words(pattern_name, description, template_code)) STORED,
    UNIQUE (pattern_name, pattern_type, language)
);
CREATE UNIQUE INDEX idx_pattern_templates_mined ON pattern_templates (pattern_name) WHERE source = 'mined';
CREATE INDEX idx_pattern_templates_rank
    ON pattern_templates (template_rank(usage_count, success_rate) DESC, id) WHERE NOT is_deprecated;
CREATE INDEX idx_pattern_templates_type_rank
    ON pattern_templates (pattern_type, template_rank(usage_count, success_rate) DESC, id) WHERE NOT is_deprecated;
CREATE INDEX idx_pattern_templates_newest ON pattern_templates (created_at DESC, id);
CREATE INDEX idx_pattern_templates_category ON pattern_templates (category, language);
CREATE INDEX idx_pattern_templates_words ON pattern_templates USING gin (words);
CREATE INDEX idx_pattern_templates_tags ON pattern_templates USING gin (tags);
CREATE INDEX idx_pattern_templates_parent ON pattern_templates (parent_pattern_id) WHERE parent_pattern_id IS NOT NULL;
CREATE INDEX idx_pattern_templates_successor ON pattern_templates (deprecated_by_id) WHERE deprecated_by_id IS NOT NULL;

CREATE TABLE pattern_usage_events (
    id                   uuid PRIMARY KEY,         -- the sender's, or made of the execution's key: a replay changes nothing
    pattern_id           uuid NOT NULL REFERENCES pattern_templates ON DELETE RESTRICT,
    correlation_id       uuid,
    file_path            text,
    project_id           text,
    success              boolean NOT NULL,
    execution_time_ms    numeric CHECK (execution_time_ms >= 0),
    error_message        text,
    quality_before       numeric CHECK (quality_before BETWEEN 0 AND 1),
    quality_after        numeric CHECK (quality_after BETWEEN 0 AND 1),
    quality_improvement  numeric GENERATED ALWAYS AS (quality_after - quality_before) STORED, -- unknown without both
    used_at              timestamptz NOT NULL DEFAULT now(),
    context              jsonb NOT NULL DEFAULT '{}',
    tags                 text[] NOT NULL DEFAULT '{}'
);
-- Both hold all that figures are made of, so that these are read from the index alone.
CREATE INDEX idx_pattern_usage_events_pattern
    ON pattern_usage_events (pattern_id, used_at) INCLUDE (success, execution_time_ms, quality_improvement);
CREATE INDEX idx_pattern_usage_events_used_at
    ON pattern_usage_events (used_at) INCLUDE (pattern_id, success, execution_time_ms, quality_improvement);
CREATE INDEX idx_pattern_usage_events_correlation
    ON pattern_usage_events (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX idx_pattern_executions_executed_at ON pattern_executions (executed_at);
CREATE INDEX idx_pattern_executions_recorded_at ON pattern_executions (recorded_at);

-- Adds what changed to the figures of each touched template, once a statement. The rows are locked in the order of their
-- ids, so that two batches cannot block each other for ever, and before they are read, so that none overlooks the other.
CREATE FUNCTION pattern_usage_events_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    touched uuid[];
    more_uses bigint[];
    more_successes bigint[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(pattern_id), array_agg(uses), array_agg(successes) INTO touched, more_uses, more_successes
        FROM (SELECT pattern_id, count(*) AS uses, count(*) FILTER (WHERE success) AS successes
              FROM added GROUP BY pattern_id) AS changed;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(pattern_id), array_agg(uses), array_agg(successes) INTO touched, more_uses, more_successes
        FROM (SELECT pattern_id, -count(*) AS uses, -count(*) FILTER (WHERE success) AS successes
              FROM removed GROUP BY pattern_id) AS changed;
    ELSE
        SELECT array_agg(pattern_id), array_agg(uses), array_agg(successes) INTO touched, more_uses, more_successes
        FROM (SELECT pattern_id, sum(uses)::bigint AS uses, sum(successes)::bigint AS successes
              FROM (SELECT pattern_id, 1 AS uses, success::integer AS successes FROM added
                    UNION ALL
                    SELECT pattern_id, -1, -success::integer FROM removed) AS each
              GROUP BY pattern_id) AS changed;
    END IF;
    PERFORM FROM pattern_templates WHERE id = ANY (touched) ORDER BY id FOR NO KEY UPDATE;
    UPDATE pattern_templates t SET
        usage_count = t.usage_count + c.uses,
        success_rate = CASE WHEN t.usage_count + c.uses > 0
            THEN (round(t.success_rate * t.usage_count) + c.successes) / (t.usage_count + c.uses) ELSE 0.5 END,
        last_used_at = (SELECT max(e.used_at) FROM pattern_usage_events e WHERE e.pattern_id = t.id)
    FROM unnest(touched, more_uses, more_successes) AS c (pattern_id, uses, successes)
    WHERE t.id = c.pattern_id;
    RETURN NULL;
END $$;
CREATE TRIGGER pattern_usage_events_added AFTER INSERT ON pattern_usage_events
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION pattern_usage_events_changed();
CREATE TRIGGER pattern_usage_events_removed AFTER DELETE ON pattern_usage_events
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION pattern_usage_events_changed();
CREATE TRIGGER pattern_usage_events_altered AFTER UPDATE ON pattern_usage_events
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION pattern_usage_events_changed();

CREATE TABLE pattern_relationships (
    id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    source_pattern_id  uuid NOT NULL REFERENCES pattern_templates ON DELETE CASCADE,
    target_pattern_id  uuid NOT NULL REFERENCES pattern_templates ON DELETE CASCADE,
    relationship_type  text NOT NULL CHECK (relationship_type IN ('similar', 'extends', 'conflicts', 'uses', 'composed_of')),
    strength           numeric(3, 2) NOT NULL DEFAULT 0.5 CHECK (strength BETWEEN 0 AND 1),
    description        text,
    context            jsonb NOT NULL DEFAULT '{}', -- `derived`: true on those that the pipeline found and may replace
    discovered_at      timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    UNIQUE (source_pattern_id, target_pattern_id, relationship_type),
    CHECK (source_pattern_id <> target_pattern_id),
    -- What holds both ways is stored once.
    CHECK (relationship_type NOT IN ('similar', 'conflicts') OR source_pattern_id < target_pattern_id)
);
CREATE INDEX idx_pattern_relationships_target ON pattern_relationships (target_pattern_id, relationship_type);

CREATE FUNCTION pattern_relationships_without_cycle() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM changed WHERE relationship_type = 'extends';
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    -- Two transactions that each add a half of a cycle must see each other.
    PERFORM pg_advisory_xact_lock(hashtext('pattern_relationships.extends'));
    PERFORM FROM (
        WITH RECURSIVE reached (start, pattern_id) AS (
            SELECT source_pattern_id, target_pattern_id FROM changed WHERE relationship_type = 'extends'
            UNION
            SELECT r.start, e.target_pattern_id
            FROM reached r
            JOIN pattern_relationships e ON e.source_pattern_id = r.pattern_id AND e.relationship_type = 'extends'
        )
        SELECT FROM reached WHERE start = pattern_id
    ) AS cycle;
    IF FOUND THEN
        RAISE EXCEPTION 'a template would extend itself' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'pattern_relationships_without_cycle';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER pattern_relationships_added AFTER INSERT ON pattern_relationships
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION pattern_relationships_without_cycle();
CREATE TRIGGER pattern_relationships_altered AFTER UPDATE ON pattern_relationships
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION pattern_relationships_without_cycle();

CREATE TABLE pattern_analytics (
    id                           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    period_start                 timestamptz NOT NULL,
    period_end                   timestamptz NOT NULL,
    pattern_id                   uuid REFERENCES pattern_templates ON DELETE CASCADE,  -- NULL: all of them together
    total_usage_count            bigint NOT NULL,
    success_count                bigint NOT NULL,
    failure_count                bigint NOT NULL,
    average_execution_time_ms    numeric,          -- of all together: the mean over templates, each counted once
    average_quality_improvement  numeric,
    missed_uses                  bigint NOT NULL,  -- the work done by hand though it was approved
    adoption                     numeric,          -- uses / (uses + missed uses)
    top_patterns                 jsonb NOT NULL DEFAULT '[]',
    trend_direction              text NOT NULL CHECK (trend_direction IN ('increasing', 'decreasing', 'stable')),
    trend_strength               numeric NOT NULL CHECK (trend_strength BETWEEN 0 AND 1),
    computed_at                  timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (period_start, period_end, pattern_id),
    CHECK (period_start < period_end),
    CHECK (success_count + failure_count = total_usage_count)
);
CREATE INDEX idx_pattern_analytics_pattern ON pattern_analytics (pattern_id, period_start);

CREATE TABLE pattern_quality_metrics (
    pattern_id     uuid NOT NULL REFERENCES pattern_templates ON DELETE CASCADE,
    quality_score  numeric(5, 4) NOT NULL CHECK (quality_score BETWEEN 0 AND 1),
    confidence     numeric(3, 2) NOT NULL CHECK (confidence BETWEEN 0 AND 1), -- weight of the parts that are known
    measured_at    timestamptz NOT NULL,           -- end of the day that it speaks of; a row for each change
    version        text NOT NULL,                  -- of the formula
    metadata       jsonb NOT NULL,                 -- the parts
    PRIMARY KEY (pattern_id, measured_at)
);

CREATE TABLE pattern_operation_log (
    log_id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    logged_at       timestamptz NOT NULL DEFAULT now(),
    actor           text NOT NULL,
    operation       text NOT NULL,
    pattern_id      uuid,                          -- no foreign key: what failed or was deleted is told of as well
    correlation_id  uuid NOT NULL,
    success         boolean NOT NULL,
    error_type      text,
    duration_ms     numeric NOT NULL CHECK (duration_ms >= 0),
    before          jsonb,
    after           jsonb,
    context         jsonb NOT NULL DEFAULT '{}',
    CHECK (success = (error_type IS NULL))
);
CREATE INDEX idx_pattern_operation_log_correlation ON pattern_operation_log (correlation_id);
CREATE INDEX idx_pattern_operation_log_pattern ON pattern_operation_log (pattern_id, log_id) WHERE pattern_id IS NOT NULL;
CREATE INDEX idx_pattern_operation_log_operation ON pattern_operation_log (operation, logged_at);
