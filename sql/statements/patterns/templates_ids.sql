SELECT d.template, d.template_id FROM command_templates d JOIN stage_templates USING (template)
