SELECT pattern_id, occurrences, occurrences AS workflows, distinct_days, completed, failed, error_n, error_sum, retry_sum, seconds_n,
       seconds_sum::float8 AS seconds_sum, seconds_sumsq::float8 AS seconds_sumsq
FROM pattern_totals
ORDER BY pattern_id
