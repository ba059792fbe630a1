-- The runs of a window and their steps, with true statistics: the planner knows nothing of tables just filled.
DROP TABLE IF EXISTS stage_runs, stage_calls;
CREATE TEMP TABLE stage_runs (
    workflow_id text, event_time timestamptz, status text, duration_seconds numeric, total_tokens bigint,
    cost numeric, has_steps boolean
) ON COMMIT DROP;
CREATE TEMP TABLE stage_calls (
    workflow_id text, step_seq integer, cost numeric, tokens bigint, seconds numeric
) ON COMMIT DROP
