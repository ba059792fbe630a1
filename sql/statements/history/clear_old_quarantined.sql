DELETE FROM quarantined_records WHERE source_id = :source_id AND pass <> :pass;
