-- what: when the configuration that this session works with was read
-- servers: 14..
-- returns: one row
SELECT pg_conf_load_time()::text AS loaded_at
