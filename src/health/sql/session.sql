-- what: a session that waits for nothing and changes nothing
-- servers: 14..
-- variables: timeout
SET statement_timeout = :timeout; SET lock_timeout = '50ms'; SET jit = off;
SET default_transaction_read_only = on; SET max_parallel_workers_per_gather = 0;
SET work_mem = '16MB';
SELECT set_config('client_encoding', 'SQL_ASCII', false)
 WHERE current_setting('server_encoding') = 'SQL_ASCII'
