-- References of the big tables, checked once a statement. A foreign key's check of each row takes half of the time that
-- loading derived rows takes, and writes a lock into every run it looks at. What a key guarantees stays: no row without
-- its run or pattern, also when a run is deleted meanwhile; deleting a run deletes what belongs to it; keys never change.

ALTER TABLE tool_calls DROP CONSTRAINT tool_calls_workflow_id_fkey;
ALTER TABLE workflow_characteristics DROP CONSTRAINT workflow_characteristics_workflow_id_fkey;
ALTER TABLE detected_signatures DROP CONSTRAINT detected_signatures_workflow_id_fkey;
ALTER TABLE pattern_occurrences DROP CONSTRAINT pattern_occurrences_workflow_id_fkey;
ALTER TABLE pattern_occurrences DROP CONSTRAINT pattern_occurrences_pattern_id_fkey;
ALTER TABLE pattern_hourly_statistics DROP CONSTRAINT pattern_hourly_statistics_pattern_id_fkey;
ALTER TABLE pattern_daily_statistics DROP CONSTRAINT pattern_daily_statistics_pattern_id_fkey;

-- The planner settings of these functions: a session keeps the first plan, whatever sizes it was made for, and only an
-- index probe for each row is right for all of them.

-- Whoever adds rows to runs shares the lock that whoever deletes runs takes alone: either the deletion sees these rows,
-- or this check sees the deletion.
CREATE FUNCTION require_workflow() RETURNS trigger
LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    missing text;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('workflow_history deletion', 0));
    SELECT workflow_id INTO missing
    FROM added
    WHERE NOT EXISTS (SELECT FROM workflow_history AS run WHERE run.workflow_id = added.workflow_id)
    LIMIT 1;
    IF FOUND THEN
        RAISE foreign_key_violation USING MESSAGE =
            format('%s: there is no run %L in workflow_history', TG_TABLE_NAME, missing);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION delete_with_workflow() RETURNS trigger
LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF EXISTS (SELECT FROM removed) THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('workflow_history deletion', 0));
        DELETE FROM tool_calls AS owned USING removed WHERE owned.workflow_id = removed.workflow_id;
        DELETE FROM workflow_characteristics AS owned USING removed WHERE owned.workflow_id = removed.workflow_id;
        DELETE FROM detected_signatures AS owned USING removed WHERE owned.workflow_id = removed.workflow_id;
        DELETE FROM pattern_occurrences AS owned USING removed WHERE owned.workflow_id = removed.workflow_id;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION truncate_with_workflows() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE tool_calls, workflow_characteristics, detected_signatures, pattern_occurrences;
    RETURN NULL;
END $$;

CREATE FUNCTION require_pattern() RETURNS trigger
LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    missing integer;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('operation_patterns deletion', 0));
    SELECT pattern_id INTO missing
    FROM (SELECT DISTINCT pattern_id FROM added) AS named
    WHERE NOT EXISTS (SELECT FROM operation_patterns AS pattern WHERE pattern.pattern_id = named.pattern_id)
    LIMIT 1;
    IF FOUND THEN
        RAISE foreign_key_violation USING MESSAGE =
            format('%s: there is no pattern %s in operation_patterns', TG_TABLE_NAME, missing);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION keep_counted_pattern() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    counted integer;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('operation_patterns deletion', 0));
    SELECT pattern_id INTO counted
    FROM removed
    WHERE EXISTS (SELECT FROM pattern_occurrences AS owned WHERE owned.pattern_id = removed.pattern_id)
       OR EXISTS (SELECT FROM pattern_hourly_statistics AS owned WHERE owned.pattern_id = removed.pattern_id)
       OR EXISTS (SELECT FROM pattern_daily_statistics AS owned WHERE owned.pattern_id = removed.pattern_id)
    LIMIT 1;
    IF FOUND THEN
        RAISE foreign_key_violation USING MESSAGE =
            format('pattern %s cannot be deleted: occurrences or statistics of it are stored', counted);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION keep_key() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE foreign_key_violation USING MESSAGE =
        format('the key of a row of %s never changes: delete the row and insert another', TG_TABLE_NAME);
END $$;

CREATE TRIGGER require_workflow AFTER INSERT ON tool_calls
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION require_workflow();
CREATE TRIGGER require_workflow AFTER INSERT ON workflow_characteristics
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION require_workflow();
CREATE TRIGGER require_workflow AFTER INSERT ON detected_signatures
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION require_workflow();
CREATE TRIGGER require_workflow AFTER INSERT ON pattern_occurrences
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION require_workflow();
CREATE TRIGGER require_pattern AFTER INSERT ON pattern_occurrences
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION require_pattern();
CREATE TRIGGER require_pattern AFTER INSERT ON pattern_hourly_statistics
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION require_pattern();
CREATE TRIGGER require_pattern AFTER INSERT ON pattern_daily_statistics
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION require_pattern();

CREATE TRIGGER delete_with_workflow AFTER DELETE ON workflow_history
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION delete_with_workflow();
CREATE TRIGGER truncate_with_workflows AFTER TRUNCATE ON workflow_history
    FOR EACH STATEMENT EXECUTE FUNCTION truncate_with_workflows();
CREATE TRIGGER keep_counted_pattern AFTER DELETE ON operation_patterns
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION keep_counted_pattern();

CREATE TRIGGER keep_key BEFORE UPDATE OF workflow_id ON workflow_history
    FOR EACH STATEMENT EXECUTE FUNCTION keep_key();
CREATE TRIGGER keep_key BEFORE UPDATE OF workflow_id ON tool_calls
    FOR EACH STATEMENT EXECUTE FUNCTION keep_key();
CREATE TRIGGER keep_key BEFORE UPDATE OF workflow_id ON workflow_characteristics
    FOR EACH STATEMENT EXECUTE FUNCTION keep_key();
CREATE TRIGGER keep_key BEFORE UPDATE OF workflow_id ON detected_signatures
    FOR EACH STATEMENT EXECUTE FUNCTION keep_key();
CREATE TRIGGER keep_key BEFORE UPDATE OF workflow_id, pattern_id ON pattern_occurrences
    FOR EACH STATEMENT EXECUTE FUNCTION keep_key();
CREATE TRIGGER keep_key BEFORE UPDATE OF pattern_id ON pattern_hourly_statistics
    FOR EACH STATEMENT EXECUTE FUNCTION keep_key();
CREATE TRIGGER keep_key BEFORE UPDATE OF pattern_id ON pattern_daily_statistics
    FOR EACH STATEMENT EXECUTE FUNCTION keep_key();
CREATE TRIGGER keep_key BEFORE UPDATE OF pattern_id ON operation_patterns
    FOR EACH STATEMENT EXECUTE FUNCTION keep_key();
