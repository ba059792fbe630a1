-- The templates in use, best first: by the lower end of what their success may be, times ln(1 + uses). A total order.
DROP VIEW IF EXISTS v_top_patterns;
CREATE VIEW v_top_patterns AS
SELECT t.id, t.pattern_name, t.pattern_type, t.language, t.usage_count, t.success_rate, t.confidence_score,
       t.quality_improvement_total / nullif(t.compared_uses, 0) AS avg_quality_improvement, e.recent_usage_count,
       t.last_used_at, t.category, template_rank(t.usage_count, t.success_rate) AS rank
FROM pattern_templates t
CROSS JOIN LATERAL (
    SELECT count(*) AS recent_usage_count
    FROM pattern_usage_events
    WHERE pattern_id = t.id AND used_at >= now() - interval '30 days'
) AS e
WHERE NOT t.is_deprecated
ORDER BY template_rank(t.usage_count, t.success_rate) DESC, t.id;
