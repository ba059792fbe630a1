-- The steps that a sequence of the catalogue covers, none twice; `occurrence` counts its appearances inside one run.
DROP TABLE IF EXISTS stage_sequence_steps;
CREATE TEMP TABLE stage_sequence_steps (
    workflow_id text NOT NULL, signature_id integer NOT NULL, occurrence integer NOT NULL, step_seq integer NOT NULL
) ON COMMIT DROP
