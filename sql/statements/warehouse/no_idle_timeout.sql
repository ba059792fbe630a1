-- For a transaction that only holds a lock while others do long work under it.
SET LOCAL idle_in_transaction_session_timeout TO 0;
