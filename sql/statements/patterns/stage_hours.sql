DROP TABLE IF EXISTS stage_hours;
CREATE TEMP TABLE stage_hours (hour timestamptz PRIMARY KEY) ON COMMIT DROP
