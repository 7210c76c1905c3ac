-- what: whether this role may make others members of pg_monitor
-- servers: 14..
-- returns: one row
SELECT rolsuper OR pg_has_role('pg_monitor', 'USAGE WITH ADMIN OPTION')
       OR (rolcreaterole AND current_setting('server_version_num')::int < 160000) AS may_give
  FROM pg_roles WHERE rolname = CURRENT_USER
