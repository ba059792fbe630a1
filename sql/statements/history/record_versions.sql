-- What this source says of each run now. A new pass over the source replaces what an older one said, and so does the
-- same place of a source that grew. Two places in one pass compare as two sources would, except that the later one
-- wins a tie: that is a correction appended to a log.
INSERT INTO run_sources AS kept (
    workflow_id, source_id, content_hash, is_terminal, started_at, end_time, step_count, text_hash, position, pass
)
SELECT workflow_id, :source_id, content_hash, is_terminal, started_at, end_time, step_count, text_hash, position, :pass
FROM staged_versions
ON CONFLICT (workflow_id, source_id) DO UPDATE
SET content_hash = excluded.content_hash,
    is_terminal = excluded.is_terminal,
    started_at = excluded.started_at,
    end_time = excluded.end_time,
    step_count = excluded.step_count,
    text_hash = excluded.text_hash,
    position = excluded.position,
    pass = excluded.pass
WHERE kept.pass <> excluded.pass
   OR kept.position = excluded.position
   OR CASE WHEN kept.started_at <> excluded.started_at AND kept.text_hash <> excluded.text_hash
           THEN (excluded.started_at, excluded.text_hash) < (kept.started_at, kept.text_hash)
           ELSE (excluded.is_terminal, coalesce(excluded.end_time, '-infinity'), excluded.step_count)
             >= (kept.is_terminal, coalesce(kept.end_time, '-infinity'), kept.step_count)
      END;
