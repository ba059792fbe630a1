DROP TABLE IF EXISTS stage_workflows;
CREATE TEMP TABLE stage_workflows (workflow_id text PRIMARY KEY) ON COMMIT DROP
