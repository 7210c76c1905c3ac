-- what: a session that is in nobody's way
-- servers: 14..18
-- client_connection_check_interval ends a statement whose client has gone away.
SELECT pg_catalog.set_config('application_name', 'pgdeck watch', false),
       pg_catalog.set_config('lock_timeout', '50ms', false),
       pg_catalog.set_config('statement_timeout', '5s', false),
       pg_catalog.set_config('idle_in_transaction_session_timeout', '10s', false),
       pg_catalog.set_config('client_connection_check_interval', '10s', false),
       pg_catalog.set_config('max_parallel_workers_per_gather', '0', false),
       pg_catalog.set_config('jit', 'off', false),
       pg_catalog.set_config('default_transaction_read_only', 'off', false);
