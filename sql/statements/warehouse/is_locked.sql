-- Whether another session holds the lock of that name; it is not kept.
SELECT NOT pg_try_advisory_xact_lock(hashtextextended(:name, 0));
