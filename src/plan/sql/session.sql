-- what: who serves this session, and whether it has the settings that it was begun with
-- servers: 14..
-- returns: pid, has_settings
SELECT pg_catalog.pg_backend_pid() AS pid,
       pg_catalog.replace(pg_catalog.current_setting('search_path'), ' ', '')
           OPERATOR(pg_catalog.=) 'pg_catalog,pg_temp' AS has_settings
