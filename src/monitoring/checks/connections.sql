-- what: connections near the limit of the server, a database or a role
-- check: connections
-- scope: server
-- rank: 20
-- servers: 14..18
SELECT CASE p.health WHEN 'CRITICAL' THEN 'critical' WHEN 'WARNING' THEN 'warning' ELSE 'ok' END,
       format('%s%s uses %s of %s connections', p.scope,
              CASE WHEN p.name IS NOT NULL THEN format(' %I', p.name) END,
              p.used, p.connection_limit),
       format('%s active, %s idle, %s idle in transaction; limit: %s',
              p.active, p.idle, p.idle_in_transaction, p.limit_is),
       CASE WHEN pg_has_role('pg_read_all_stats', 'USAGE') THEN 'measured'
            ELSE 'used is measured; the states are not visible to this role' END,
       CASE WHEN p.health = 'OK' THEN NULL
            WHEN p.scope = 'server' THEN
            'SELECT * FROM monitoring.v_connection_status; -- whose pool is too large? '
            'Shrink it, or raise max_connections (restart)'
            WHEN p.scope = 'database' THEN
            format('ALTER DATABASE %I CONNECTION LIMIT %s;', p.name,
                   ceil(p.connection_limit * 1.5) + 1)
            ELSE format('ALTER ROLE %I CONNECTION LIMIT %s;', p.name,
                        ceil(p.connection_limit * 1.5) + 1) END
  FROM monitoring.v_connection_pool_health AS p
 WHERE p.scope = 'server' OR (p.health <> 'OK' AND p.limit_is = 'its own');
