-- what: a session that plans other people's statements: it writes nothing, and it never waits long
-- servers: 14..
SET lock_timeout = '200ms';
SET statement_timeout = '10s';
SET idle_in_transaction_session_timeout = '60s';
SET default_transaction_read_only = on;
SET plan_cache_mode = force_generic_plan;
SET jit = off
