-- The steps that a sequence of the catalogue covers; `occurrence` counts its appearances inside one run.
-- `owns`: the step's cost is the sequence's in the portfolio, where each call counts once.
DROP TABLE IF EXISTS stage_sequence_steps;
CREATE TEMP TABLE stage_sequence_steps (
    workflow_id text NOT NULL, signature_id integer NOT NULL, occurrence integer NOT NULL,
    step_seq integer NOT NULL, owns boolean NOT NULL
) ON COMMIT DROP
