-- Rows that say what is stored already are left alone.
INSERT INTO roi_validations AS kept (
    pattern_id, validation, executions, more_executions, estimated, realised_mean, deviation, difference,
    difference_low, difference_high, minimum_detectable_effect, baseline_hash)
SELECT pattern_id, validation, executions, more_executions, estimated, realised_mean, deviation, difference,
       difference_low, difference_high, minimum_detectable_effect, baseline_hash
FROM jsonb_populate_recordset(NULL::roi_validations, :validations::jsonb)
ON CONFLICT (pattern_id) DO UPDATE SET
    validation = excluded.validation,
    executions = excluded.executions,
    more_executions = excluded.more_executions,
    estimated = excluded.estimated,
    realised_mean = excluded.realised_mean,
    deviation = excluded.deviation,
    difference = excluded.difference,
    difference_low = excluded.difference_low,
    difference_high = excluded.difference_high,
    minimum_detectable_effect = excluded.minimum_detectable_effect,
    baseline_hash = excluded.baseline_hash,
    updated_at = now()
WHERE to_jsonb(kept) - 'updated_at' IS DISTINCT FROM to_jsonb(excluded) - 'updated_at'
