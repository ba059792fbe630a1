-- What this source says of each run now: the newest wins, be it a new pass or a later record of the same one. The first
-- record of a pass says which run the id means; a later one with another start and another text is not that run.
INSERT INTO run_sources AS kept (
    workflow_id, source_id, content_hash, is_terminal, started_at, end_time, step_count, text_hash, position, pass
)
SELECT workflow_id, :source_id, content_hash, is_terminal, started_at, end_time, step_count, text_hash, position, :pass
FROM staged_versions
ON CONFLICT (workflow_id, source_id) DO UPDATE
SET content_hash = excluded.content_hash,
    is_terminal = excluded.is_terminal,
    started_at = CASE WHEN kept.pass = excluded.pass THEN kept.started_at ELSE excluded.started_at END,
    end_time = excluded.end_time,
    step_count = excluded.step_count,
    text_hash = CASE WHEN kept.pass = excluded.pass THEN kept.text_hash ELSE excluded.text_hash END,
    position = excluded.position,
    pass = excluded.pass
WHERE kept.pass <> excluded.pass
   OR kept.started_at IS NOT DISTINCT FROM excluded.started_at
   OR kept.text_hash = excluded.text_hash;
