-- Rows whose hash is not that of their content, or that do not follow the row before: the first ten.
SELECT link.history_id
FROM (
    SELECT
        h.history_id,
        h.row_hash = pattern_review_history_row_hash(h) AS is_intact,
        h.history_id = coalesce(lag(h.history_id) OVER chain, 0) + 1
            AND h.previous_hash = coalesce(lag(h.row_hash) OVER chain, 'genesis') AS is_linked
    FROM pattern_review_history h
    WINDOW chain AS (ORDER BY h.history_id)
) AS link
WHERE NOT (link.is_intact AND link.is_linked)
ORDER BY link.history_id
LIMIT 10;
