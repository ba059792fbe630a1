SELECT * FROM v_realised_roi WHERE pattern_id = :pattern_id
