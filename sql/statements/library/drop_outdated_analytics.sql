-- Rows of a period that were not stored by this transaction: what they counted is gone.
DELETE FROM pattern_analytics
WHERE period_start = :period_start AND period_end = :period_end AND computed_at < now()
