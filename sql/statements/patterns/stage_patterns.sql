DROP TABLE IF EXISTS stage_patterns;
CREATE TEMP TABLE stage_patterns (
    signature text NOT NULL, pattern_type text NOT NULL, kind text NOT NULL, readable text NOT NULL,
    automatable boolean NOT NULL, exclusion_reason text
) ON COMMIT DROP
