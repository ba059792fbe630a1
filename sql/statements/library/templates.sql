SELECT * FROM v_templates WHERE id = ANY (:ids::uuid[])
