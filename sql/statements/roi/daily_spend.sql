-- Spend a day and model over a span of event time; a run without a cost of its own is worth its priced steps.
SELECT (w.event_time AT TIME ZONE 'UTC')::date AS day, w.model_used AS model, count(*) AS runs,
       count(coalesce(w.actual_cost_total, w.estimated_cost_total, s.usd)) AS priced_runs,
       sum(coalesce(w.actual_cost_total, w.estimated_cost_total, s.usd))::float8 AS usd
FROM workflow_history w
LEFT JOIN LATERAL (SELECT sum(t.cost_usd) AS usd FROM tool_calls t WHERE t.workflow_id = w.workflow_id) s
    ON w.actual_cost_total IS NULL AND w.estimated_cost_total IS NULL
WHERE w.event_time >= :start AND w.event_time <= :latest AND w.superseded_by IS NULL
GROUP BY 1, 2
ORDER BY 1, 2
