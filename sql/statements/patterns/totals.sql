-- What confidence is a function of: the totals, and how the automation fared.
SELECT t.pattern_id, t.occurrences, t.occurrences AS workflows, t.distinct_days, t.completed, t.failed, t.error_n,
       t.error_sum, t.retry_sum, t.seconds_n, t.seconds_sum::float8 AS seconds_sum,
       t.seconds_sumsq::float8 AS seconds_sumsq, coalesce(s.total_executions, 0) AS total_executions,
       coalesce(s.successful_executions, 0) AS successful_executions, s.roi_percentage::float8 AS roi_percentage
FROM pattern_totals t
LEFT JOIN pattern_roi_summary s USING (pattern_id)
ORDER BY t.pattern_id
