SELECT d.layer, d.rule_id, d.matched_text, d.evidence_id
FROM detection_evidence d JOIN stage_evidence USING (layer, rule_id, matched_text)
