SELECT * FROM v_patterns WHERE signature = :signature
