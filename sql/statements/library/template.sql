SELECT * FROM v_templates WHERE id = :pattern_id
