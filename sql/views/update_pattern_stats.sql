-- Counts the events of templates anew; one without events stays as it is. The trigger on the events keeps the same figures.
DROP FUNCTION IF EXISTS update_pattern_stats(uuid[]);  -- beside that of one, a literal would be of both types
CREATE OR REPLACE FUNCTION update_all_pattern_stats(patterns uuid[]) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    changed integer;
BEGIN
    PERFORM FROM pattern_templates WHERE id = ANY (patterns) ORDER BY id FOR NO KEY UPDATE;
    UPDATE pattern_templates t
    SET usage_count = e.uses, success_rate = e.success_rate, last_used_at = e.last_used_at, timed_uses = e.timed_uses,
        execution_time_total_ms = e.execution_time_total_ms, compared_uses = e.compared_uses,
        quality_improvement_total = e.quality_improvement_total
    FROM (SELECT pattern_id, count(*) AS uses, count(*) FILTER (WHERE success)::numeric / count(*) AS success_rate,
                 max(used_at) AS last_used_at, count(execution_time_ms) AS timed_uses,
                 coalesce(sum(execution_time_ms), 0) AS execution_time_total_ms, count(quality_improvement) AS compared_uses,
                 coalesce(sum(quality_improvement), 0) AS quality_improvement_total
          FROM pattern_usage_events WHERE pattern_id = ANY (patterns) GROUP BY pattern_id) AS e
    WHERE t.id = e.pattern_id
      AND (t.usage_count, t.success_rate, t.last_used_at, t.timed_uses, t.execution_time_total_ms, t.compared_uses,
           t.quality_improvement_total)
          IS DISTINCT FROM (e.uses, e.success_rate, e.last_used_at, e.timed_uses, e.execution_time_total_ms, e.compared_uses,
                            e.quality_improvement_total);
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END $$;
CREATE OR REPLACE FUNCTION update_pattern_stats(pattern uuid) RETURNS integer
LANGUAGE sql AS $$
    SELECT update_all_pattern_stats(ARRAY[pattern])
$$;
