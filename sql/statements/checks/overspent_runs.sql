-- Runs whose patterns claim more than the run cost; a run without a cost of its own is worth its priced steps.
SELECT o.workflow_id, sum(o.portfolio_cost_usd) AS claimed, max(o.run_cost_usd) AS run_cost
FROM pattern_occurrences o
WHERE o.occurred_at >= :window_start AND o.occurred_at < :window_end
GROUP BY o.workflow_id
HAVING sum(o.portfolio_cost_usd) > max(o.run_cost_usd) + 1e-9
ORDER BY o.workflow_id
LIMIT 20
