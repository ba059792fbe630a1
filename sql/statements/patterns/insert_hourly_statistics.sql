-- The window stands in the join too: a part of a long history is not to be joined with all of it.
INSERT INTO pattern_hourly_statistics
SELECT date_trunc('hour', o.occurred_at, 'UTC'), o.pattern_id,
       count(*) FILTER (WHERE counted), count(*) FILTER (WHERE NOT counted),
       coalesce(sum(o.hit_count) FILTER (WHERE counted), 0),
       count(*) FILTER (WHERE counted AND o.succeeded), count(*) FILTER (WHERE counted AND NOT o.succeeded),
       count(w.error_count) FILTER (WHERE counted), coalesce(sum(w.error_count) FILTER (WHERE counted), 0),
       coalesce(sum(w.retry_count) FILTER (WHERE counted), 0),
       count(*) FILTER (WHERE by_step), coalesce(sum(o.attributed_cost_usd) FILTER (WHERE by_step), 0),
       coalesce(sum(o.attributed_cost_usd * o.attributed_cost_usd) FILTER (WHERE by_step), 0),
       count(*) FILTER (WHERE by_run), coalesce(sum(o.attributed_cost_usd) FILTER (WHERE by_run), 0),
       coalesce(sum(o.attributed_cost_usd * o.attributed_cost_usd) FILTER (WHERE by_run), 0),
       min(o.attributed_cost_usd), max(o.attributed_cost_usd), coalesce(sum(o.portfolio_cost_usd), 0),
       coalesce(sum(o.run_cost_usd) FILTER (WHERE counted), 0),
       count(o.attributed_tokens), coalesce(sum(o.attributed_tokens), 0), coalesce(sum(o.attributed_tokens * o.attributed_tokens), 0),
       count(*) FILTER (WHERE o.attributed_seconds > 0),
       coalesce(sum(o.attributed_seconds) FILTER (WHERE o.attributed_seconds > 0), 0),
       coalesce(sum(o.attributed_seconds * o.attributed_seconds) FILTER (WHERE o.attributed_seconds > 0), 0),
       min(o.occurred_at), max(o.occurred_at)
FROM pattern_occurrences o
LEFT JOIN workflow_history w
    ON w.workflow_id = o.workflow_id AND w.event_time >= :window_start AND w.event_time < :window_end
CROSS JOIN LATERAL (
    SELECT o.cost_basis <> 'intent' AS counted, o.cost_basis = 'step' AS by_step, o.cost_basis = 'workflow' AS by_run
) basis
WHERE o.occurred_at >= :window_start AND o.occurred_at < :window_end
GROUP BY 1, 2
