SELECT * FROM v_global_pattern_stats
