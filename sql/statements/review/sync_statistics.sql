SELECT (SELECT count(*) FROM operation_patterns) AS patterns_in_source,
       (SELECT count(*) FROM pattern_approvals) AS patterns_in_review
