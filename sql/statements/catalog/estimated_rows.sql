-- The planner's estimate, corrected by what has been written since; an exact count would read the whole table.
SELECT greatest(coalesce(s.n_live_tup, 0), c.reltuples::bigint, 0)
FROM pg_class c
LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
WHERE c.oid = to_regclass(:table)
