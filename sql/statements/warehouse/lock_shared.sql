-- Kept beside others who share it, until the transaction ends; who wants the lock for itself waits for all of them.
SELECT pg_advisory_xact_lock_shared(hashtextextended(:name, 0));
