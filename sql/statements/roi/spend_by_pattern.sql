-- What each pattern took of a span of days, each call counted once; patterns without a known cost are left out.
SELECT p.pattern_signature, sum(d.portfolio_sum)::float8 AS usd
FROM pattern_daily_statistics d
JOIN operation_patterns p USING (pattern_id)
WHERE d.day >= :start AND d.day <= :latest
GROUP BY p.pattern_signature
HAVING sum(d.step_n + d.run_n) > 0
ORDER BY usd DESC, p.pattern_signature
