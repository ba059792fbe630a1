-- One lock per name across all processes, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended(:name, 0));
