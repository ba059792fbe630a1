DROP TABLE IF EXISTS stage_templates;
CREATE TEMP TABLE stage_templates (template text NOT NULL) ON COMMIT DROP
