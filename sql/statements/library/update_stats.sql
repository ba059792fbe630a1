SELECT update_all_pattern_stats(
    ARRAY(SELECT id FROM pattern_templates WHERE :pattern_id::uuid IS NULL OR id = :pattern_id::uuid))
