-- The quality of each template as its events up to the end of a day say, stored where it differs from what was known.
-- A part that nobody has stated counts as 0.5 and lowers the confidence by its weight.
WITH used AS (
    SELECT pattern_id, count(*) AS uses, count(*) FILTER (WHERE success)::numeric / count(*) AS success
    FROM pattern_usage_events
    WHERE used_at < :day_end::timestamptz
    GROUP BY pattern_id
), parts AS (
    SELECT t.id, coalesce((10 - t.complexity_score) / 10.0, 0.5) AS complexity,
           coalesce(t.maintainability_score, 0.5) AS maintainability, coalesce(t.performance_score, 0.5) AS performance,
           CASE WHEN btrim(coalesce(t.description, '')) <> '' THEN 0.4 ELSE 0 END
               + CASE WHEN btrim(coalesce(t.example_usage, '')) <> '' THEN 0.3 ELSE 0 END
               + CASE WHEN length(t.template_code) > 100 THEN 0.3 ELSE 0 END AS documentation,
           least(1, log(10, coalesce(u.uses, 0) + 1) / 3) AS usage, coalesce(u.success, 0.5) AS success,
           0.30 + CASE WHEN t.complexity_score IS NULL THEN 0 ELSE 0.15 END
               + CASE WHEN t.maintainability_score IS NULL THEN 0 ELSE 0.20 END
               + CASE WHEN t.performance_score IS NULL THEN 0 ELSE 0.15 END
               + CASE WHEN u.uses IS NULL THEN 0 ELSE 0.20 END AS confidence
    FROM pattern_templates t
    LEFT JOIN used u ON u.pattern_id = t.id
    WHERE t.created_at < :day_end::timestamptz
), scores AS (
    SELECT id, confidence,
           round(0.15 * complexity + 0.20 * maintainability + 0.15 * performance + 0.15 * documentation + 0.15 * usage
                 + 0.20 * success, 4) AS quality_score,
           jsonb_build_object('complexity', complexity, 'maintainability', maintainability, 'performance', performance,
               'documentation', documentation, 'usage', round(usage, 4), 'success', round(success, 4)) AS metadata
    FROM parts
)
INSERT INTO pattern_quality_metrics AS q (pattern_id, quality_score, confidence, measured_at, version, metadata)
SELECT s.id, s.quality_score, s.confidence, :day_end::timestamptz, :version, s.metadata
FROM scores s
LEFT JOIN LATERAL (
    SELECT m.quality_score, m.confidence, m.version, m.metadata
    FROM pattern_quality_metrics m
    WHERE m.pattern_id = s.id AND m.measured_at < :day_end::timestamptz
    ORDER BY m.measured_at DESC
    LIMIT 1
) AS known ON true
WHERE (known.quality_score, known.confidence, known.version, known.metadata)
      IS DISTINCT FROM (s.quality_score, s.confidence, :version, s.metadata)
ON CONFLICT (pattern_id, measured_at) DO UPDATE SET quality_score = excluded.quality_score, confidence = excluded.confidence,
    version = excluded.version, metadata = excluded.metadata
WHERE (q.quality_score, q.confidence, q.version, q.metadata)
      IS DISTINCT FROM (excluded.quality_score, excluded.confidence, excluded.version, excluded.metadata)
