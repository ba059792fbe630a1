DROP TABLE IF EXISTS stage_signatures;
CREATE TEMP TABLE stage_signatures (signature text NOT NULL) ON COMMIT DROP
