SELECT min(hour) AS first, max(hour) AS last FROM history_hours WHERE workflow_count > 0
