SELECT input_hash, estimated_at, roi_version, window_end, occurrences, net_p10, net_p50, net_p90, npv_p10, verdict
FROM roi_estimates
WHERE pattern_id = :pattern_id
ORDER BY estimated_at DESC, input_hash
LIMIT :limit
