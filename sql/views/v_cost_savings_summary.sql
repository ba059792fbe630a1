-- What the log of savings says, by kind. An entry without a known amount counts as an entry and in no sum.
DROP VIEW IF EXISTS v_cost_savings_summary;
CREATE VIEW v_cost_savings_summary AS
SELECT optimization_type, count(*) AS entries, count(cost_saved_usd) AS priced, sum(cost_saved_usd) AS cost_saved_usd,
       avg(cost_saved_usd) AS average_cost_saved_usd, sum(saved_tokens) AS saved_tokens, max(saved_at) AS last_saved_at
FROM cost_savings_log
GROUP BY optimization_type;
