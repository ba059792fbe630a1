DROP TABLE IF EXISTS stage_confidence;
CREATE TEMP TABLE stage_confidence (
    pattern_id            integer PRIMARY KEY,
    detection_confidence  numeric(5, 2) NOT NULL,
    confidence_score      numeric(5, 2) NOT NULL
)
ON COMMIT DROP
