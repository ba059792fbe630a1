SELECT (SELECT count(*) FROM workflow_history WHERE superseded_by IS NULL) AS workflows,
       (SELECT coalesce(sum(step_count), 0) FROM workflow_history WHERE superseded_by IS NULL) AS steps,
       (SELECT count(*) FROM quarantined_records) AS quarantined,
       spend.usd AS spend_usd, spend.priced_share,
       (SELECT sum(portfolio_cost_usd) FROM operation_patterns) AS attributed_usd,
       spend.first_event, spend.last_event
FROM (
    SELECT sum(coalesce(w.actual_cost_total, w.estimated_cost_total, s.usd)) AS usd,
           count(coalesce(w.actual_cost_total, w.estimated_cost_total, s.usd))::numeric / nullif(count(*), 0)
               AS priced_share,
           min(w.event_time) AS first_event, max(w.event_time) AS last_event
    FROM workflow_history w
    LEFT JOIN LATERAL (SELECT sum(cost_usd) AS usd FROM tool_calls t WHERE t.workflow_id = w.workflow_id) s
        ON w.actual_cost_total IS NULL AND w.estimated_cost_total IS NULL
    WHERE w.superseded_by IS NULL
) spend
