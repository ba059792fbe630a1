-- Counts the events of templates anew; one without events stays as it is. The trigger on the events keeps the same figures.
CREATE OR REPLACE FUNCTION update_pattern_stats(patterns uuid[]) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    changed integer;
BEGIN
    PERFORM FROM pattern_templates WHERE id = ANY (patterns) ORDER BY id FOR NO KEY UPDATE;
    UPDATE pattern_templates t
    SET usage_count = e.uses, success_rate = e.successes::numeric / e.uses, last_used_at = e.last_used_at
    FROM (SELECT pattern_id, count(*) AS uses, count(*) FILTER (WHERE success) AS successes, max(used_at) AS last_used_at
          FROM pattern_usage_events WHERE pattern_id = ANY (patterns) GROUP BY pattern_id) AS e
    WHERE t.id = e.pattern_id
      AND (t.usage_count, t.success_rate, t.last_used_at)
          IS DISTINCT FROM (e.uses, e.successes::numeric / e.uses, e.last_used_at);
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END $$;
CREATE OR REPLACE FUNCTION update_pattern_stats(pattern uuid) RETURNS integer
LANGUAGE plpgsql AS $$
BEGIN
    RETURN update_pattern_stats(ARRAY[pattern]);
END $$;
