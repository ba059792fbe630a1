-- What the queue shows of a pattern as things stand: its statistics, its current estimate and its latest examples.
DROP VIEW IF EXISTS v_queue_evidence;
CREATE VIEW v_queue_evidence AS
SELECT p.pattern_id, p.pattern_signature, p.pattern_type, p.automatable,
       p.confidence_score, p.occurrence_count, p.potential_monthly_savings, p.impact_score,
       e.net_p10, e.net_p50, e.net_p90, e.npv_p10,
       coalesce(e.verdict, CASE WHEN p.automatable THEN 'insufficient_evidence' ELSE 'excluded' END) AS verdict,
       p.readable AS tool_sequence,
       ARRAY(SELECT o.workflow_id
             FROM pattern_occurrences o
             WHERE o.pattern_id = p.pattern_id
             ORDER BY o.occurred_at DESC, o.workflow_id COLLATE "C"
             LIMIT 5) AS example_workflows,
       p.current_estimate AS evidence_hash
FROM operation_patterns p
LEFT JOIN roi_estimates e ON e.pattern_id = p.pattern_id AND e.input_hash = p.current_estimate;
