SELECT to_regclass('event_logs') IS NOT NULL;
