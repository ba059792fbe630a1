-- How long the operations of the library take, and how many fail.
DROP VIEW IF EXISTS v_operation_latency;
CREATE VIEW v_operation_latency AS
SELECT operation, count(*) AS calls, count(*) FILTER (WHERE NOT success) AS failures,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_ms) AS p50_ms,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_ms) AS p95_ms,
       percentile_cont(0.99) WITHIN GROUP (ORDER BY duration_ms) AS p99_ms,
       max(duration_ms) AS max_ms, max(logged_at) AS last_call
FROM pattern_operation_log
GROUP BY operation;
