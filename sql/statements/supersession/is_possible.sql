-- Two ends of an index each: nothing, where all sources are of one rank. EXISTS would read all of a history without any.
SELECT (SELECT min(reader_rank) <> max(reader_rank) FROM ingested_sources)
    OR (SELECT min(workflow_id) FROM workflow_history WHERE superseded_by IS NOT NULL) IS NOT NULL;
