-- See library.py: a library of %(templates)s templates with %(events)s uses of the last year. The same rows for the same
-- numbers, but for the ids. Names share words as real ones do, a few templates have most of the uses, and templates of
-- approved patterns (those of the web tests' seed) are among them, with occurrences after the approval: missed uses.
SELECT setseed(0.5);

CREATE TEMPORARY TABLE made ON COMMIT DROP AS
SELECT n, gen_random_uuid() AS id, random() AS luck,
       (ARRAY['test', 'git', 'build', 'deps', 'format', 'deploy', 'db', 'lint', 'docs', 'release'])[1 + n %% 10] AS verb,
       'tool' || floor(random() ^ 2 * 300)::integer AS tool,
       'service' || floor(random() * 500)::integer AS target
FROM generate_series(1, %(templates)s) AS n;
CREATE UNIQUE INDEX ON made (n);

INSERT INTO pattern_templates (id, pattern_name, pattern_type, language, template_code, category, description, example_usage,
    source, confidence_score, complexity_score, maintainability_score, performance_score, is_deprecated, tags, created_at)
SELECT id, verb || ':' || tool || ':' || target || '-' || n,
       (ARRAY['operation', 'operation', 'sequence', 'error_fix'])[1 + n %% 4],
       (ARRAY['shell', 'shell', 'shell', 'any', 'python'])[1 + n %% 5],
       tool || ' ' || verb || ' --target ' || target || ' --config <path> --retries <num> --output <path>', verb,
       'Runs ' || verb || ' of ' || target || ' with ' || tool || ' as the team does it in ' || 'module' || n %% 2000,
       tool || ' ' || verb || ' --target ' || target || ' --config conf/ci.toml --retries 2 --output out/' || n, 'team',
       round((0.3 + 0.7 * luck)::numeric, 4), n %% 11, 0.5, round(luck::numeric, 2), n %% 20 = 0,
       ARRAY[verb, tool, 'team' || n %% 40], now() - (1 - n::numeric / %(templates)s) * interval '400 days'
FROM made;

-- Uses without the trigger that counts each, and decisions without the chain that would date them now.
SET LOCAL session_replication_role = replica;
ALTER TABLE pattern_review_history DISABLE TRIGGER USER;
INSERT INTO pattern_usage_events (id, pattern_id, correlation_id, project_id, success, execution_time_ms, quality_before,
    quality_after, used_at)
SELECT gen_random_uuid(), m.id, gen_random_uuid(), 'project' || e.n %% 50, random() < 0.3 + m.luck * 0.7, 50 + random() * 5000,
       CASE WHEN e.n %% 3 = 0 THEN 0.6 END, CASE WHEN e.n %% 3 = 0 THEN round((0.5 + random() * 0.5)::numeric, 2) END,
       now() - random() * interval '365 days'
FROM (SELECT n, 1 + floor(random() ^ 3 * %(templates)s)::integer AS used FROM generate_series(1, %(events)s) AS n OFFSET 0) AS e
JOIN made m ON m.n = e.used;

INSERT INTO pattern_review_history (history_id, pattern_id, action, reviewer, to_status, created_at, previous_hash, row_hash)
SELECT row_number() OVER (ORDER BY pattern_id), pattern_id, 'approved', 'seed', 'approved', now() - interval '60 days', '-', '-'
FROM pattern_approvals
WHERE status = 'approved';
SET LOCAL session_replication_role = origin;
SELECT update_all_pattern_stats(ARRAY(SELECT id FROM made));
UPDATE pattern_occurrences SET occurred_at = occurred_at + (now() - '2026-10-31'::timestamptz);

INSERT INTO pattern_relationships (source_pattern_id, target_pattern_id, relationship_type, strength)
SELECT least(a.id, b.id), greatest(a.id, b.id), 'similar', round((0.8 + a.luck * 0.2)::numeric, 2)
FROM made a
JOIN made b ON b.n BETWEEN a.n + 1 AND a.n + 3;

INSERT INTO pattern_operation_log (actor, operation, correlation_id, success, duration_ms)
SELECT 'seed', 'get_top', gen_random_uuid(), true, random() * 10 FROM generate_series(1, %(events)s / 10);
