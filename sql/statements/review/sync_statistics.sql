SELECT (SELECT count(*) FROM operation_patterns) AS patterns_in_source,
       (SELECT coalesce(sum(patterns), 0)::bigint FROM pattern_approval_counts) AS patterns_in_review
