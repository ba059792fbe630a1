SELECT pattern_id, count(*) AS executions FROM pattern_executions GROUP BY pattern_id ORDER BY pattern_id
