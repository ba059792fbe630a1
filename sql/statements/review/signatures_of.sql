SELECT pattern_id, pattern_signature FROM operation_patterns WHERE pattern_id = ANY (:pattern_ids::integer[])
