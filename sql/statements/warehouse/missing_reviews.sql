-- Patterns whose row in the queue has changed its version more often than the history tells: the first ten. A chain does not
-- show by itself that its last rows are gone.
SELECT p.pattern_signature
FROM pattern_approvals a
JOIN operation_patterns p USING (pattern_id)
WHERE a.version - 1 > (SELECT count(*) FROM pattern_review_history h
                       WHERE h.pattern_id = a.pattern_id AND h.action <> 'commented')
ORDER BY p.pattern_signature
LIMIT 10;
