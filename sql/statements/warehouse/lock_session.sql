SELECT pg_advisory_lock(hashtextextended(:name, 0));
