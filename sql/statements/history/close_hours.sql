-- What is in each hour, with the generation read under its lock. An hour that changed has yet to be detected and counted.
INSERT INTO history_hours AS closed (
    hour, generation, workflow_count, step_count, spend_usd, priced_count, content_hash
)
SELECT touched.hour,
       touched.generation,
       coalesce(found.workflow_count, 0),
       coalesce(found.step_count, 0),
       coalesce(found.spend_usd, 0),
       coalesce(found.priced_count, 0),
       left(encode(sha256(convert_to(coalesce(found.content, ''), 'UTF8')), 'hex'), 32)
FROM touched_hours AS touched
LEFT JOIN (
    SELECT date_trunc('hour', event_time, 'UTC') AS hour,
           count(*) AS workflow_count,
           sum(step_count) AS step_count,
           sum(coalesce(actual_cost_total, estimated_cost_total)) FILTER (WHERE cost_basis <> 'unpriced') AS spend_usd,
           count(coalesce(actual_cost_total, estimated_cost_total)) FILTER (WHERE cost_basis <> 'unpriced') AS priced_count,
           string_agg(
               concat_ws(' ', workflow_id, content_hash, merged_content), E'\n' ORDER BY workflow_id COLLATE "C"
           ) AS content
    FROM workflow_history
    WHERE event_time >= :start AND event_time < :end AND superseded_by IS NULL
    GROUP BY 1
) AS found USING (hour)
WHERE touched.hour >= :start AND touched.hour < :end
ON CONFLICT (hour) DO UPDATE
SET generation = excluded.generation,
    workflow_count = excluded.workflow_count,
    step_count = excluded.step_count,
    spend_usd = excluded.spend_usd,
    priced_count = excluded.priced_count,
    content_hash = excluded.content_hash,
    detection_version = CASE
        WHEN (closed.generation, closed.content_hash) = (excluded.generation, excluded.content_hash) THEN closed.detection_version
    END,
    catalogue_version = CASE
        WHEN (closed.generation, closed.content_hash) = (excluded.generation, excluded.content_hash) THEN closed.catalogue_version
    END,
    closed_at = now()
RETURNING hour, generation, workflow_count, step_count, spend_usd, priced_count, content_hash;
