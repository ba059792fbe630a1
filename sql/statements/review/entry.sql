SELECT * FROM v_queue_entries WHERE pattern_signature = :reference::text OR pattern_id::text = :reference::text
