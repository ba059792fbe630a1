UPDATE ingested_sources SET reread_wanted = true
WHERE source_id IN (SELECT wanted_source FROM resolved WHERE action = 'reread');
