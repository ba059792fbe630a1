-- See seed.py. A percent sign is written twice: the driver puts the numbers in.
CREATE TEMPORARY TABLE seed ON COMMIT DROP AS
SELECT n,
       (ARRAY['test', 'git', 'build', 'deps', 'format', 'deploy', 'db', 'lint'])[1 + n %% 8]
           || ':' || (ARRAY['pytest', 'push', 'docker', 'uv', 'ruff', 'kubectl', 'psql', 'mypy', 'npm', 'make'])[1 + n / 8 %% 10]
           || ':' || (ARRAY['backend', 'api', 'frontend', 'worker', 'docs', 'main', 'release'])[1 + n / 80 %% 7]
           || CASE WHEN n < 560 THEN '' ELSE '-' || n END AS signature,
       (abs(hashint4(n)) %% 10000) / 10000.0 AS luck,
       5 + (abs(hashint4(n + 7)) %% 90) AS times
FROM generate_series(0, %(patterns)s - 1) AS n;

INSERT INTO signatures (signature) SELECT signature FROM seed ORDER BY n;

INSERT INTO operation_patterns (pattern_id, pattern_signature, pattern_type, kind, readable, automatable, detection_version,
    first_detected, last_seen, occurrence_count, execution_count, completed_count, failed_count, priced_count, cost_basis,
    distinct_days, projects, models, attributed_cost_usd, portfolio_cost_usd, naive_cost_usd, potential_monthly_savings,
    impact_score, confidence_score)
SELECT i.signature_id, s.signature, split_part(s.signature, ':', 1), CASE WHEN n %% 5 = 4 THEN 'sequence' ELSE 'operation' END,
       initcap(split_part(s.signature, ':', 1)) || ': ' || split_part(s.signature, ':', 2) || ' (' || split_part(s.signature, ':', 3) || ')',
       true, 'seed', '2026-09-02 08:00Z', '2026-10-30 17:00Z', times, times * 3, times - times / 6, times / 6, times, 'step',
       least(times, 40), 1 + n %% 3, '{claude-sonnet}', times * 1.4, times, times * 9, round((luck * 900)::numeric, 2),
       round((luck * 90000)::numeric), round((40 + luck * 55)::numeric, 2)
FROM seed s JOIN signatures i USING (signature);

INSERT INTO roi_estimates (pattern_id, input_hash, roi_version, assumptions, window_start, window_end, exposure_days, occurrences,
    priced_count, cost_basis, monthly_rate, monthly_rate_low, monthly_rate_high, cost_per_occurrence, cost_low, cost_high,
    tool_cost, reliability, saving_per_occurrence, potential_monthly_savings, net_monthly_savings, net_p10, net_p50, net_p90,
    npv, npv_p10, npv_p50, npv_p90, probability_of_loss, payback_months, roi_percent, break_even_monthly, build_cost,
    naive_monthly_savings, naive_factor, verdict, reasons, flags)
SELECT p.pattern_id, md5(p.pattern_signature), 'seed',
       '{"coverage": {"value": 0.8, "source": "policy", "assumed": true}, "build_cost": {"value": 75, "source": "policy", "assumed": true},
         "reliability": {"value": 0.8, "source": "prior", "assumed": true}, "month_days": {"value": 30.4375, "source": "calendar", "assumed": false}}',
       '2026-08-02', '2026-10-31', 60, p.occurrence_count, p.occurrence_count, 'step', x.rate, x.rate * 0.8, x.rate * 1.3,
       p.potential_monthly_savings / x.rate, p.potential_monthly_savings / x.rate * 0.8, p.potential_monthly_savings / x.rate * 1.3,
       0.01, 0.8, p.potential_monthly_savings / x.rate * 0.6, p.potential_monthly_savings, x.net, x.net * 0.6 - 15, x.net, x.net * 1.5 + 10,
       x.net * 11 - 75, x.net * 6 - 200, x.net * 11 - 75, x.net * 16, greatest(0, 0.6 - x.net / 200), 3, 150, 9, 75,
       p.potential_monthly_savings * 7.3, 7.3,
       CASE WHEN x.net > 200 THEN 'worth_automating' WHEN x.net > 40 THEN 'promising' ELSE 'not_worth_automating' END,
       CASE WHEN x.net > 200 THEN '{npv_p10_positive}'::text[] WHEN x.net > 40 THEN '{npv_p50_positive,npv_p10_not_positive}'
            ELSE '{npv_p50_not_positive}' END, '{assumed_reliability}'
FROM operation_patterns p,
     LATERAL (SELECT p.occurrence_count / 2.0 AS rate, p.potential_monthly_savings * 0.6 - 20 AS net) x;
UPDATE operation_patterns SET current_estimate = md5(pattern_signature);

INSERT INTO workflow_history (workflow_id, source, project, nl_input, status, cost_basis, actual_cost_total, step_count, content_hash, event_time)
SELECT 'claude:run-' || r, 'seed', (ARRAY['shop', 'billing', 'search'])[1 + r %% 3], 'Run the tests and fix what fails',
       CASE WHEN r %% 6 = 0 THEN 'failed' ELSE 'completed' END, 'priced', 9.0, 2, '-', '2026-09-01'::timestamptz + r * (interval '59 days' / %(runs)s)
FROM generate_series(1, %(runs)s) AS r;

INSERT INTO tool_calls (workflow_id, tool_call_id, seq, tool_name, command, success, error_message, cost_usd, event_time)
SELECT workflow_id, '1', 1, 'Bash', 'cd app && uv run pytest -x tests/unit --maxfail=' || length(workflow_id), status <> 'failed',
       CASE WHEN status = 'failed' THEN 'exit code 1: 3 failed, 120 passed' END, 0.4, event_time
FROM workflow_history;

INSERT INTO detection_evidence (layer, rule_id, matched_text) VALUES ('step', 'step.program', 'uv run pytest'), ('task', 'task.test', 'run the tests');
INSERT INTO command_templates (template) VALUES ('cd {path} && uv run pytest -x {path} --maxfail={number}');

INSERT INTO pattern_occurrences (pattern_id, workflow_id, occurred_at, evidence_id, layer, similarity_score, hit_count, secondary_hits,
    cost_basis, attributed_cost_usd, portfolio_cost_usd, run_cost_usd, succeeded, detection_version, catalogue_version)
SELECT p.pattern_id, w.workflow_id, w.event_time, (SELECT min(evidence_id) FROM detection_evidence), 'step', 100, 1 + o %% 3, 0,
       'step', 0.4, 0.4, 9.0, w.status <> 'failed', 'seed', 'none'
FROM generate_series(0, %(occurrences)s - 1) AS o
JOIN seed s ON s.n = CASE WHEN o %% 20 = 0 THEN 0 ELSE o %% %(patterns)s END
JOIN signatures i USING (signature)
JOIN operation_patterns p ON p.pattern_id = i.signature_id
JOIN workflow_history w ON w.workflow_id = 'claude:run-' || (1 + (o / 3) %% %(runs)s)
ON CONFLICT DO NOTHING;

INSERT INTO detected_signatures (workflow_id, event_time, step_seq, part, signature_id, evidence_id, template_id)
SELECT workflow_id, occurred_at, 1, row_number() OVER (PARTITION BY workflow_id ORDER BY pattern_id) - 1, pattern_id, evidence_id,
       (SELECT min(template_id) FROM command_templates)
FROM pattern_occurrences;

INSERT INTO pattern_daily_statistics (day, pattern_id, occurrences, intents, hits, completed, failed, error_n, error_sum, retry_sum,
    step_n, step_sum, step_sumsq, run_n, run_sum, run_sumsq, portfolio_sum, naive_sum, tokens_n, tokens_sum, tokens_sumsq, seconds_n,
    seconds_sum, seconds_sumsq, first_event, last_event)
SELECT date_trunc('day', occurred_at), pattern_id, count(*), 0, sum(hit_count), count(*) FILTER (WHERE succeeded),
       count(*) FILTER (WHERE NOT succeeded), 0, 0, 0, count(*), sum(attributed_cost_usd), sum(attributed_cost_usd ^ 2), 0, 0, 0,
       sum(portfolio_cost_usd), sum(run_cost_usd), 0, 0, 0, 0, 0, 0, min(occurred_at), max(occurred_at)
FROM pattern_occurrences GROUP BY 1, 2;

INSERT INTO pattern_approvals (pattern_id, status, confidence_score, occurrence_count, potential_monthly_savings, net_p10, net_p50,
    net_p90, npv_p10, impact_score, verdict, tool_sequence, evidence_hash, created_at)
SELECT p.pattern_id,
       CASE WHEN s.n %% 10 < %(waiting)s THEN 'pending' ELSE (ARRAY['approved', 'rejected', 'deferred'])[1 + s.n %% 3] END,
       p.confidence_score, p.occurrence_count, p.potential_monthly_savings, e.net_p10, e.net_p50, e.net_p90, e.npv_p10, p.impact_score,
       e.verdict, p.readable, e.input_hash, '2026-10-01'::timestamptz + s.n * interval '1 second'
FROM seed s
JOIN operation_patterns p ON p.pattern_signature = s.signature
JOIN roi_estimates e ON e.pattern_id = p.pattern_id;
UPDATE operation_patterns p SET automation_status = 'in_review'
FROM pattern_approvals a WHERE a.pattern_id = p.pattern_id AND a.status IN ('pending', 'deferred');
