-- A template for each approved pattern, made of the steps of its latest runs. What a person has edited (version > 1) keeps
-- its wording; evidence is refreshed. One that was deprecated with its approval comes back with the next.
WITH approved AS (
    SELECT p.pattern_id, p.pattern_signature, p.kind, p.pattern_type, p.readable, p.confidence_score, p.first_detected,
           coalesce(a.reviewed_by, 'system') AS reviewed_by,
           -- The elements of a sequence are templates; a repair has one, and that is a signature.
           CASE p.kind WHEN 'sequence' THEN c.elements END AS elements,
           CASE p.kind WHEN 'error_fix' THEN c.elements[1] ELSE p.pattern_signature END AS step_signature
    FROM pattern_approvals a
    JOIN operation_patterns p USING (pattern_id)
    LEFT JOIN sequence_catalog c ON c.signature = p.pattern_signature
    WHERE a.status IN ('approved', 'auto-approved')
), steps AS (
    SELECT a.pattern_id, m.template, count(*) AS steps, bool_and(s.command IS NOT NULL) AS shell,
           min(left(s.command, 2000)) AS example
    FROM approved a
    CROSS JOIN LATERAL (
        SELECT workflow_id
        FROM pattern_occurrences o
        WHERE o.pattern_id = a.pattern_id
        ORDER BY o.occurred_at DESC, o.workflow_id
        LIMIT :runs
    ) AS recent
    JOIN detected_signatures d ON d.workflow_id = recent.workflow_id AND d.part = 0
    JOIN signatures i ON i.signature_id = d.signature_id
    JOIN command_templates m ON m.template_id = d.template_id
    LEFT JOIN tool_calls s ON s.workflow_id = d.workflow_id AND s.seq = d.step_seq
    WHERE CASE WHEN a.elements IS NULL THEN i.signature = a.step_signature ELSE m.template = ANY (a.elements) END
    GROUP BY a.pattern_id, m.template
), ranked AS (
    SELECT *, sum(steps) OVER (PARTITION BY pattern_id) AS seen,
           row_number() OVER (PARTITION BY pattern_id ORDER BY steps DESC, template) AS place
    FROM steps
), lines AS (
    SELECT a.pattern_id, 0::bigint AS position, r.template AS code, r.shell, r.example, r.steps AS support,
           r.steps::numeric / r.seen AS coverage
    FROM approved a
    JOIN ranked r ON r.pattern_id = a.pattern_id AND r.place = 1
    WHERE a.elements IS NULL
    UNION ALL
    SELECT a.pattern_id, e.position, e.code, coalesce(r.shell, false), r.example, coalesce(r.steps, 0), 1
    FROM approved a
    CROSS JOIN LATERAL unnest(a.elements) WITH ORDINALITY AS e (code, position)
    LEFT JOIN ranked r ON r.pattern_id = a.pattern_id AND r.template = e.code
), composed AS (
    SELECT pattern_id, string_agg(code, E'\n' ORDER BY position) AS code, bool_and(shell) AS shell,
           string_agg(example, E'\n' ORDER BY position) AS example,
           jsonb_agg(jsonb_build_object('code', code, 'shell', shell) ORDER BY position) AS steps,
           min(support) AS support, round(min(coverage), 4) AS coverage
    FROM lines
    GROUP BY pattern_id
), variants AS (
    SELECT pattern_id, jsonb_agg(jsonb_build_object('code', template, 'support', steps) ORDER BY place) AS variants
    FROM ranked
    JOIN approved a USING (pattern_id)
    WHERE a.elements IS NULL AND place BETWEEN 2 AND 4
    GROUP BY pattern_id
), mined AS (
    SELECT a.pattern_signature AS pattern_name, a.kind AS pattern_type,
           coalesce(t.language, CASE WHEN c.shell THEN 'shell' ELSE 'any' END) AS language,
           coalesce(nullif(btrim(c.code), ''), a.readable) AS template_code, a.pattern_type AS category,
           a.readable AS description, c.example AS example_usage,
           coalesce(round(a.confidence_score / 100, 4), 0.5) AS confidence_score, a.reviewed_by AS created_by,
           a.first_detected AS discovered_at,
           jsonb_build_object(
               'source_signature', a.pattern_signature, 'support', coalesce(c.support, 0), 'coverage', c.coverage,
               'steps', coalesce(c.steps, '[]'), 'variants', coalesce(v.variants, '[]'),
               'slots', to_jsonb(ARRAY(SELECT m[1] FROM regexp_matches(c.code, '<(path|num|hash|uuid|url|str|date)>', 'g') AS m))
           ) AS evidence
    FROM approved a
    LEFT JOIN composed c USING (pattern_id)
    LEFT JOIN variants v USING (pattern_id)
    LEFT JOIN pattern_templates t ON t.pattern_name = a.pattern_signature AND t.source = 'mined'
)
INSERT INTO pattern_templates AS t (pattern_name, pattern_type, language, template_code, category, description, example_usage,
    source, confidence_score, created_by, discovered_at, context)
SELECT pattern_name, pattern_type, language, template_code, category, description, example_usage, 'mined', confidence_score,
       created_by, coalesce(discovered_at, now()), evidence
FROM mined
ON CONFLICT (pattern_name, pattern_type, language) DO UPDATE SET
    template_code = CASE WHEN t.source = 'mined' AND t.version = 1 THEN excluded.template_code ELSE t.template_code END,
    category = CASE WHEN t.source = 'mined' AND t.version = 1 THEN excluded.category ELSE t.category END,
    description = CASE WHEN t.source = 'mined' AND t.version = 1 THEN excluded.description ELSE t.description END,
    example_usage = CASE WHEN t.source = 'mined' AND t.version = 1 THEN excluded.example_usage ELSE t.example_usage END,
    -- One that people had made under the same name becomes that of the pattern, in their words.
    version = CASE WHEN t.source = 'mined' THEN t.version ELSE t.version + 1 END,
    source = 'mined',
    confidence_score = excluded.confidence_score,
    is_deprecated = t.is_deprecated AND NOT t.context ? 'revoked',
    context = (t.context - 'revoked') || excluded.context,
    updated_at = now()
WHERE t.source IS DISTINCT FROM 'mined' OR t.context ? 'revoked' OR t.confidence_score <> excluded.confidence_score
   OR NOT t.context @> excluded.context
   OR t.version = 1 AND (t.template_code, t.category, t.description, t.example_usage) IS DISTINCT FROM
      (excluded.template_code, excluded.category, excluded.description, excluded.example_usage)
RETURNING t.id, (t.xmax = 0) AS inserted
