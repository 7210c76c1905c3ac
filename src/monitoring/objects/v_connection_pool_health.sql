-- what: connections in use against every limit that can refuse one: server, database, role
-- object: view monitoring.v_connection_pool_health
-- servers: 14..18
-- after: monitoring.threshold(name text, otherwise text)
-- Slots that only superusers (and, from 16, pg_use_reserved_connections) may take are subtracted:
-- an application is refused when the others are used up. Superusers are not bound by database and
-- role limits.
CREATE OR REPLACE VIEW monitoring.v_connection_pool_health AS
WITH client AS (
    SELECT a.datid, a.usesysid, a.state
      FROM pg_catalog.pg_stat_activity AS a
     WHERE a.backend_type = 'client backend'
), server AS (
    SELECT CAST(pg_catalog.current_setting('max_connections') AS integer)
           - CAST(pg_catalog.current_setting('superuser_reserved_connections') AS integer)
           - CAST(coalesce(pg_catalog.current_setting('reserved_connections', true), '0')
                  AS integer) AS slots
), used AS (
    SELECT 1 AS rank, 'server' AS scope, CAST(NULL AS name) AS name, s.slots AS own_limit,
           c.state, c.datid IS NOT NULL AS is_client
      FROM server AS s
      LEFT JOIN client AS c ON true
     UNION ALL
    SELECT 2, 'database', d.datname, CASE WHEN d.datconnlimit >= 0 THEN d.datconnlimit END,
           c.state, c.datid IS NOT NULL
      FROM pg_catalog.pg_database AS d
      LEFT JOIN client AS c ON c.datid = d.oid
     WHERE NOT d.datistemplate OR c.datid IS NOT NULL
     UNION ALL
    SELECT 3, 'role', r.rolname,
           CASE WHEN r.rolconnlimit >= 0 AND NOT r.rolsuper THEN r.rolconnlimit END,
           c.state, c.datid IS NOT NULL
      FROM pg_catalog.pg_roles AS r
      LEFT JOIN client AS c ON c.usesysid = r.oid
     WHERE c.usesysid IS NOT NULL OR (r.rolcanlogin AND r.rolconnlimit >= 0 AND NOT r.rolsuper)
), counted AS (
    SELECT u.rank, u.scope, u.name, u.own_limit,
           pg_catalog.count(*) FILTER (WHERE u.is_client) AS used,
           pg_catalog.count(*) FILTER (WHERE u.state = 'active') AS active,
           pg_catalog.count(*) FILTER (WHERE u.state = 'idle') AS idle,
           pg_catalog.count(*) FILTER (WHERE u.state LIKE 'idle in transaction%')
               AS idle_in_transaction
      FROM used AS u
     GROUP BY u.rank, u.scope, u.name, u.own_limit
), measured AS (
    SELECT c.*,
           least(coalesce(c.own_limit, s.slots), s.slots) AS connection_limit,
           CASE WHEN c.scope = 'server' THEN 'max_connections less the reserved ones'
                WHEN c.own_limit IS NULL OR c.own_limit > s.slots THEN 'the server''s'
                ELSE 'its own' END AS limit_is,
           CASE WHEN least(coalesce(c.own_limit, s.slots), s.slots) = 0 THEN
                     CASE WHEN c.used > 0 THEN 100.0 END
                ELSE pg_catalog.trunc(100.0 * c.used
                     / least(coalesce(c.own_limit, s.slots), s.slots), 1) END AS used_percent
      FROM counted AS c
     CROSS JOIN server AS s
)
SELECT m.scope,
       m.name,
       m.used,
       m.connection_limit,
       m.limit_is,
       m.used_percent,
       m.active,
       m.idle,
       m.idle_in_transaction,
       CASE WHEN m.used_percent >= CAST(monitoring.threshold('connections_critical', '95')
                                        AS numeric) THEN 'CRITICAL'
            WHEN m.used_percent >= CAST(monitoring.threshold('connections_warning', '80')
                                        AS numeric) THEN 'WARNING'
            ELSE 'OK' END AS health
  FROM measured AS m
 ORDER BY m.used_percent DESC NULLS LAST, m.rank, m.name;

COMMENT ON VIEW monitoring.v_connection_pool_health IS
'Connections in use against the limits that refuse new ones: of the server (max_connections less
the slots kept for superusers), of each database and of each role. Look for health other than OK;
there, many idle connections mean pools that are too large, many active ones mean too little
capacity. Clients that wait in a pooler are not seen here.';

GRANT SELECT ON monitoring.v_connection_pool_health TO pg_monitor;
