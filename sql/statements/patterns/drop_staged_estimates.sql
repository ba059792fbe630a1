DROP TABLE stage_estimates
