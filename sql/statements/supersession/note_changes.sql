-- The runs that count otherwise than before, or not any more, or again: their hours are touched like those of changed runs.
INSERT INTO resolved (workflow_id, action, stored_event_time, event_time)
SELECT workflow_id, 'regroup', former.event_time, run.event_time
FROM former_merges AS former
FULL JOIN (
    SELECT workflow_id, superseded_by, merged_content, event_time
    FROM workflow_history
    JOIN shared_sessions USING (session_id)
    WHERE superseded_by IS NOT NULL OR merged_content IS NOT NULL
) AS run USING (workflow_id)
WHERE former.superseded_by IS DISTINCT FROM run.superseded_by OR former.merged_content IS DISTINCT FROM run.merged_content;
