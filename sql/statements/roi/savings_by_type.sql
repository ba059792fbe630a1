-- Everything saved, by kind of optimisation; unknown amounts are counted, not summed.
SELECT optimization_type, count(*) AS entries, count(cost_saved_usd) AS priced, sum(cost_saved_usd) AS cost_saved_usd,
       sum(saved_tokens)::bigint AS saved_tokens
FROM cost_savings_log
GROUP BY optimization_type
ORDER BY optimization_type
