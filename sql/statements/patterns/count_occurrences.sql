SELECT count(*) FROM pattern_occurrences WHERE occurred_at >= :window_start AND occurred_at < :window_end
