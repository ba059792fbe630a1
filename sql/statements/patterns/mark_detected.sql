UPDATE history_hours SET detection_version = :detection_version
WHERE hour >= :window_start AND hour < :window_end
  AND detection_version IS DISTINCT FROM :detection_version
