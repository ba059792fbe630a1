INSERT INTO command_templates (template)
SELECT template FROM stage_templates
ON CONFLICT DO NOTHING
