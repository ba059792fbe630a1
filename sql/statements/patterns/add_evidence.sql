INSERT INTO detection_evidence (layer, rule_id, matched_text)
SELECT layer, rule_id, matched_text FROM stage_evidence
ON CONFLICT DO NOTHING
