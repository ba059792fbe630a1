DELETE FROM pattern_daily_statistics WHERE day >= :first_day AND day < :next_day
