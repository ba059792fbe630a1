-- The newest decision of a person and the newest execution; both tables are written under a lock, in the order of their ids.
SELECT (SELECT history_id FROM pattern_review_history WHERE action NOT IN ('flagged', 'commented')
        ORDER BY history_id DESC LIMIT 1) AS decision,
       (SELECT max(execution_id) FROM pattern_executions) AS execution;
