-- The sequences that are looked for: one catalogue is active, earlier ones leave their figures only.

CREATE TABLE catalogue_versions (
    catalogue_version  text NOT NULL,
    detection_version  text NOT NULL,              -- the rules that the mined steps stand on
    window_start       timestamptz NOT NULL,
    window_end         timestamptz NOT NULL,
    steps              bigint NOT NULL,
    sequences          integer NOT NULL,
    mined_at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (catalogue_version, detection_version)
);

CREATE TABLE sequence_catalog (
    signature         text PRIMARY KEY,
    kind              text NOT NULL CHECK (kind IN ('sequence', 'error_fix')),
    elements          text[] NOT NULL,
    readable          text NOT NULL,
    workflows         integer NOT NULL,            -- distinct runs that contain it, overlaps not resolved
    days              integer NOT NULL,
    automatable       boolean NOT NULL,
    exclusion_reason  text,
    CHECK (automatable = (exclusion_reason IS NULL))
);
