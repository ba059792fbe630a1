-- Two ends of an index each: nothing, where all sources are of one rank.
SELECT (SELECT min(reader_rank) <> max(reader_rank) FROM ingested_sources)
    OR EXISTS (SELECT FROM workflow_history WHERE superseded_by IS NOT NULL);
