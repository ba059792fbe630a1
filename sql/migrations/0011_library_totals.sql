-- Averages over all uses of a template are kept beside its counts: the most used templates are those that are asked for
-- most, and reading all of their events every time would cost most where it matters.
ALTER TABLE pattern_templates
    ADD COLUMN timed_uses                 bigint NOT NULL DEFAULT 0 CHECK (timed_uses >= 0),    -- uses with a known time
    ADD COLUMN execution_time_total_ms    numeric NOT NULL DEFAULT 0,
    ADD COLUMN compared_uses              bigint NOT NULL DEFAULT 0 CHECK (compared_uses >= 0), -- ... with both qualities
    ADD COLUMN quality_improvement_total  numeric NOT NULL DEFAULT 0;
UPDATE pattern_templates t
SET timed_uses = e.timed_uses, execution_time_total_ms = e.execution_time_total_ms, compared_uses = e.compared_uses,
    quality_improvement_total = e.quality_improvement_total
FROM (SELECT pattern_id, count(execution_time_ms) AS timed_uses, coalesce(sum(execution_time_ms), 0) AS execution_time_total_ms,
             count(quality_improvement) AS compared_uses, coalesce(sum(quality_improvement), 0) AS quality_improvement_total
      FROM pattern_usage_events GROUP BY pattern_id) AS e
WHERE t.id = e.pattern_id;

ALTER TABLE pattern_usage_events ALTER COLUMN id SET DEFAULT gen_random_uuid();

-- Entries go into these at once: those of a pending list would be read from end to end by every search.
ALTER INDEX idx_pattern_templates_words SET (fastupdate = off);
ALTER INDEX idx_pattern_templates_tags SET (fastupdate = off);
-- Names by themselves: what is called like a query is found also among many that only mention its words.
CREATE INDEX idx_pattern_templates_name_words
    ON pattern_templates USING gin (template_words(pattern_name, NULL, '')) WITH (fastupdate = off);

-- What conditions of a query are answered from, newest first.
DROP INDEX idx_pattern_templates_category;
CREATE INDEX idx_pattern_templates_category ON pattern_templates (category, created_at DESC, id);
CREATE INDEX idx_pattern_templates_type ON pattern_templates (pattern_type, created_at DESC, id);
CREATE INDEX idx_pattern_templates_language ON pattern_templates (language, created_at DESC, id);
CREATE INDEX idx_pattern_templates_source ON pattern_templates (source, created_at DESC, id);
CREATE INDEX idx_pattern_templates_author ON pattern_templates (created_by, created_at DESC, id);
CREATE INDEX idx_pattern_templates_uses ON pattern_templates (usage_count);
CREATE INDEX idx_pattern_templates_last_used ON pattern_templates (last_used_at);

-- Every three characters in a row, in lower case: a name holds a text only if it holds all of the text's. None of a shorter one.
CREATE FUNCTION name_trigrams(name text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT substr(lower(name), i, 3)), '{}') FROM generate_series(1, length(lower(name)) - 2) AS i
$$;
CREATE INDEX idx_pattern_templates_name_trigrams
    ON pattern_templates USING gin (name_trigrams(pattern_name)) WITH (fastupdate = off);

CREATE TYPE pattern_usage_change AS (
    pattern_id uuid, uses bigint, successes bigint, timed_uses bigint, execution_time_ms numeric, compared_uses bigint,
    quality_improvement numeric
);

-- Adds what changed to the figures of each touched template, once a statement. The rows are locked in the order of their
-- ids, so that two batches cannot block each other for ever, and before they are read, so that none overlooks the other.
CREATE OR REPLACE FUNCTION pattern_usage_events_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    gained pattern_usage_change[];
    lost pattern_usage_change[];
BEGIN
    IF TG_OP <> 'DELETE' THEN
        SELECT array_agg(change) INTO gained
        FROM (SELECT ROW(pattern_id, count(*), count(*) FILTER (WHERE success), count(execution_time_ms),
                         coalesce(sum(execution_time_ms), 0), count(quality_improvement),
                         coalesce(sum(quality_improvement), 0))::pattern_usage_change AS change
              FROM added GROUP BY pattern_id) AS each;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        SELECT array_agg(change) INTO lost
        FROM (SELECT ROW(pattern_id, -count(*), -count(*) FILTER (WHERE success), -count(execution_time_ms),
                         -coalesce(sum(execution_time_ms), 0), -count(quality_improvement),
                         -coalesce(sum(quality_improvement), 0))::pattern_usage_change AS change
              FROM removed GROUP BY pattern_id) AS each;
    END IF;
    PERFORM FROM pattern_templates
    WHERE id IN (SELECT pattern_id FROM unnest(gained || lost)) ORDER BY id FOR NO KEY UPDATE;
    UPDATE pattern_templates t SET
        usage_count = t.usage_count + c.uses,
        success_rate = CASE WHEN t.usage_count + c.uses > 0
            THEN (round(t.success_rate * t.usage_count) + c.successes) / (t.usage_count + c.uses) ELSE 0.5 END,
        last_used_at = (SELECT max(e.used_at) FROM pattern_usage_events e WHERE e.pattern_id = t.id),
        timed_uses = t.timed_uses + c.timed_uses,
        execution_time_total_ms = t.execution_time_total_ms + c.execution_time_ms,
        compared_uses = t.compared_uses + c.compared_uses,
        quality_improvement_total = t.quality_improvement_total + c.quality_improvement
    FROM (SELECT pattern_id, sum(uses)::bigint AS uses, sum(successes)::bigint AS successes,
                 sum(timed_uses)::bigint AS timed_uses, sum(execution_time_ms) AS execution_time_ms,
                 sum(compared_uses)::bigint AS compared_uses, sum(quality_improvement) AS quality_improvement
          FROM unnest(gained || lost) GROUP BY pattern_id) AS c
    WHERE t.id = c.pattern_id;
    RETURN NULL;
END $$;
