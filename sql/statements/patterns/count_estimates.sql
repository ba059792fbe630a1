SELECT count(*) FROM roi_estimates
