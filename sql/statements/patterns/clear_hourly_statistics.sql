DELETE FROM pattern_hourly_statistics WHERE hour >= :window_start AND hour < :window_end
