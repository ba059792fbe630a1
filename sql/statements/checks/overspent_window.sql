-- One row when the window's patterns claim more than was spent in it.
WITH claimed AS (
    SELECT coalesce(sum(portfolio_cost_usd), 0) AS usd
    FROM pattern_occurrences
    WHERE occurred_at >= :window_start AND occurred_at < :window_end
),
spent AS (
    SELECT coalesce(sum(coalesce(w.actual_cost_total, w.estimated_cost_total, s.usd)), 0) AS usd
    FROM workflow_history w
    LEFT JOIN LATERAL (SELECT sum(cost_usd) AS usd FROM tool_calls t WHERE t.workflow_id = w.workflow_id) s
        ON w.actual_cost_total IS NULL AND w.estimated_cost_total IS NULL
    WHERE w.event_time >= :window_start AND w.event_time < :window_end AND w.superseded_by IS NULL
)
SELECT claimed.usd AS claimed, spent.usd AS spent FROM claimed, spent WHERE claimed.usd > spent.usd + 1e-9
