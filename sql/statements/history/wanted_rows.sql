SELECT ordinal, action = 'update' AS is_update FROM resolved WHERE action IN ('insert', 'update') ORDER BY ordinal;
