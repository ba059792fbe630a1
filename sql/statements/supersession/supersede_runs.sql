-- By the run with which most calls are shared; of several the first.
UPDATE shared_runs AS run
SET superseded_by = most.holder_id
FROM (
    SELECT DISTINCT ON (supplier_id) supplier_id, holder_id
    FROM (SELECT supplier_id, holder_id, count(*) AS calls FROM shared_links GROUP BY supplier_id, holder_id) AS shared
    JOIN shared_runs AS holder ON holder.workflow_id = shared.holder_id
    ORDER BY supplier_id, calls DESC, holder.start_time NULLS LAST, holder_id COLLATE "C"
) AS most
WHERE run.workflow_id = most.supplier_id AND run.rank = :rank;
