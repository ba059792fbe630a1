-- What every connection of ours wants, on any server; set by statement, since poolers refuse start-up options.
SET timezone TO 'UTC';
SET jit TO off;
SET idle_in_transaction_session_timeout TO '30min';
