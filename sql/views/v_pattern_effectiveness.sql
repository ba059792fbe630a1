-- How a template does: its uses and what they changed, and how often the work was done without it.
DROP VIEW IF EXISTS v_pattern_effectiveness;
CREATE VIEW v_pattern_effectiveness AS
SELECT t.id, t.pattern_name, t.pattern_type, t.language, t.is_deprecated, t.usage_count, t.success_rate,
       t.execution_time_total_ms / nullif(t.timed_uses, 0) AS average_execution_time_ms,
       t.quality_improvement_total / nullif(t.compared_uses, 0) AS average_quality_improvement, m.missed_uses,
       t.usage_count::numeric / nullif(t.usage_count + m.missed_uses, 0) AS adoption,
       q.quality_score, t.last_used_at, template_rank(t.usage_count, t.success_rate) AS rank
FROM pattern_templates t
CROSS JOIN LATERAL (SELECT count(*) AS missed_uses FROM v_missed_uses WHERE pattern_id = t.id) AS m
LEFT JOIN LATERAL (
    SELECT quality_score FROM pattern_quality_metrics WHERE pattern_id = t.id ORDER BY measured_at DESC LIMIT 1
) AS q ON true;
