-- what: how many more connections the server has room for
-- servers: 14..
-- returns: one row
SELECT (SELECT count(*)
          FROM pg_stat_activity
         WHERE backend_type = 'client backend') AS used,
       (SELECT sum(setting::integer) FILTER (WHERE name = 'max_connections')
               - sum(setting::integer) FILTER (WHERE name <> 'max_connections')
          FROM pg_settings
         WHERE name IN ('max_connections', 'superuser_reserved_connections',
                        'reserved_connections')) AS slots,
       coalesce(shobj_description(oid, 'pg_database'), '') LIKE 'made by pgdeck %' AS is_ours
  FROM pg_database
 WHERE datname = current_database();
