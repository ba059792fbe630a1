-- Put patterns into the queue with their present evidence; one that another sync has put there meanwhile stays as it is.
INSERT INTO pattern_approvals (
    pattern_id, confidence_score, occurrence_count, potential_monthly_savings, net_p10, net_p50, net_p90, npv_p10,
    impact_score, verdict, tool_sequence, example_workflows, evidence_hash)
SELECT pattern_id, confidence_score, occurrence_count, potential_monthly_savings, net_p10, net_p50, net_p90, npv_p10,
       impact_score, verdict, tool_sequence, example_workflows, evidence_hash
FROM v_queue_evidence
WHERE pattern_id = ANY (:pattern_ids::integer[])
ON CONFLICT (pattern_id) DO NOTHING
RETURNING pattern_id
