UPDATE history_hours SET catalogue_version = :catalogue_version
WHERE hour >= :window_start AND hour < :window_end
  AND catalogue_version IS DISTINCT FROM :catalogue_version
