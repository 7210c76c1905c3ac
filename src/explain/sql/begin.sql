-- what: a transaction that cannot write and ends by itself
-- servers: 14..
-- variables: timeout
BEGIN READ ONLY; SET LOCAL statement_timeout = :timeout; SET LOCAL lock_timeout = '1s';
SET LOCAL plan_cache_mode = force_generic_plan
