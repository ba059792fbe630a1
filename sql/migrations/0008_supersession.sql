-- The same run seen through two kinds of source: the better one counts, and holds the other's calls.

-- NULL: the call is as its source gave it. Else the values that were replaced when runs were merged, by column.
ALTER TABLE tool_calls ADD COLUMN as_supplied jsonb;

-- NULL: no other run has a part in this one. Else a digest of the contents of the runs that it supersedes.
ALTER TABLE workflow_history ADD COLUMN merged_content text;
CREATE INDEX idx_workflow_history_superseded ON workflow_history (workflow_id) WHERE superseded_by IS NOT NULL;

-- Whether a session was seen through several kinds of source is answered by its least and its greatest entry.
DROP INDEX idx_workflow_history_session;
CREATE INDEX idx_workflow_history_session ON workflow_history (session_id, source) WHERE session_id IS NOT NULL;
CREATE INDEX idx_ingested_sources_rank ON ingested_sources (reader_rank);
