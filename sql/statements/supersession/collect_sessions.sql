-- Sessions of runs that are being changed, of which another kind of source tells as well.
INSERT INTO shared_sessions
SELECT session_id
FROM (
    SELECT DISTINCT session_id
    FROM resolved
    JOIN workflow_history USING (workflow_id)
    WHERE action IN ('insert', 'update', 'delete') AND session_id IS NOT NULL
) AS changed
WHERE (SELECT min(source) FROM workflow_history AS run WHERE run.session_id = changed.session_id)
   <> (SELECT max(source) FROM workflow_history AS run WHERE run.session_id = changed.session_id)
ON CONFLICT (session_id) DO NOTHING;
