-- Runs in which the agent did by hand what was approved at that time: occurrences, which are never uses. A run that an
-- execution of the same pattern belongs to is not among them.
DROP VIEW IF EXISTS v_missed_uses CASCADE;  -- what builds upon it follows in the order of the files
CREATE VIEW v_missed_uses AS
WITH periods AS (
    SELECT pattern_id, to_status, created_at AS since,
           lead(created_at, 1, 'infinity') OVER (PARTITION BY pattern_id ORDER BY history_id) AS until
    FROM pattern_review_history
)
SELECT t.id AS pattern_id, o.workflow_id, o.occurred_at
FROM pattern_templates t
JOIN operation_patterns p ON p.pattern_signature = t.pattern_name
JOIN periods d ON d.pattern_id = p.pattern_id AND d.to_status IN ('approved', 'auto-approved')
JOIN pattern_occurrences o
    ON o.pattern_id = p.pattern_id AND o.occurred_at >= d.since AND o.occurred_at < d.until AND o.cost_basis <> 'intent'
WHERE t.source = 'mined'
  AND NOT EXISTS (SELECT FROM pattern_executions x
                  WHERE x.pattern_id = o.pattern_id AND coalesce(x.workflow_id, x.reported_workflow_id) = o.workflow_id);
