DROP TABLE IF EXISTS stage_evidence;
CREATE TEMP TABLE stage_evidence (layer text NOT NULL, rule_id text NOT NULL, matched_text text NOT NULL) ON COMMIT DROP
