-- Bring the evidence of queued patterns up to date. Status, version, decision and notes are not evidence.
UPDATE pattern_approvals a
SET confidence_score = v.confidence_score,
    occurrence_count = v.occurrence_count,
    potential_monthly_savings = v.potential_monthly_savings,
    net_p10 = v.net_p10,
    net_p50 = v.net_p50,
    net_p90 = v.net_p90,
    npv_p10 = v.npv_p10,
    impact_score = v.impact_score,
    verdict = v.verdict,
    tool_sequence = v.tool_sequence,
    example_workflows = v.example_workflows,
    evidence_hash = v.evidence_hash,
    updated_at = now()
FROM v_queue_evidence v
WHERE v.pattern_id = a.pattern_id
  AND a.pattern_id = ANY (:pattern_ids::integer[])
  AND (a.confidence_score, a.occurrence_count, a.potential_monthly_savings, a.net_p10, a.net_p50, a.net_p90, a.npv_p10,
       a.impact_score, a.verdict, a.tool_sequence, a.example_workflows, a.evidence_hash)
      IS DISTINCT FROM
      (v.confidence_score, v.occurrence_count, v.potential_monthly_savings, v.net_p10, v.net_p50, v.net_p90, v.npv_p10,
       v.impact_score, v.verdict, v.tool_sequence, v.example_workflows, v.evidence_hash)
RETURNING a.pattern_id
