-- what: a session that waits for nothing for long
-- servers: 14..
SET statement_timeout = '5s'; SET lock_timeout = '500ms'; SET jit = off;
SET max_parallel_workers_per_gather = 0; SET synchronous_commit = off;
SET application_name = 'pgdeck rescue'
