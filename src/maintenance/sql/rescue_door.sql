-- what: which way in this role has when all connections are taken
-- servers: 14..
-- returns: severity, text, sql
WITH role AS (
    SELECT r.rolsuper, r.rolname, current_setting('superuser_reserved_connections')::integer AS own,
           coalesce(current_setting('reserved_connections', true), '0')::integer AS shared,
           EXISTS (SELECT FROM pg_roles AS g WHERE g.rolname = 'pg_use_reserved_connections'
                      AND pg_has_role(g.oid, 'USAGE')) AS may
      FROM pg_roles AS r WHERE r.rolname = current_user
)
SELECT CASE WHEN rolsuper AND own > 0 OR may AND shared > 0 THEN 'info' ELSE 'warning' END AS severity,
       CASE WHEN rolsuper AND own > 0
            THEN format('role %I comes in by superuser_reserved_connections (%s)', rolname, own)
            WHEN may AND shared > 0
            THEN format('role %I comes in by reserved_connections (%s)', rolname, shared)
            WHEN may
            THEN format('role %I may use reserved connections, but reserved_connections is 0', rolname)
            ELSE format('role %I has no way in when all connections are taken', rolname) END AS text,
       CASE WHEN rolsuper AND own > 0 OR may AND shared > 0 THEN NULL
            WHEN rolsuper THEN 'ALTER SYSTEM SET superuser_reserved_connections = 3'
            WHEN may THEN 'ALTER SYSTEM SET reserved_connections = 3'
            WHEN current_setting('server_version_num')::integer >= 160000
            THEN format('GRANT pg_use_reserved_connections TO %I', rolname) END AS sql
  FROM role
