-- what: sessions that wait for a lock, and who is in their way
-- servers: 14..18
-- pg_blocking_pids() says 0 for a prepared transaction. At most 100 who wait: each look takes the
-- lock manager's locks for a moment.
WITH waiting AS (
    SELECT l.pid, l.mode, l.locktype, l.relation, l.waitstart
      FROM pg_catalog.pg_locks AS l
     WHERE NOT l.granted
     ORDER BY l.waitstart
     LIMIT 100
), edge AS (
    SELECT w.pid, w.mode, w.locktype, w.relation, w.waitstart, b.pid AS blocker
      FROM waiting AS w
     CROSS JOIN LATERAL (SELECT DISTINCT u.pid
                           FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids(w.pid)) AS u (pid))
           AS b
), one AS (
    SELECT e.pid FROM edge AS e
     UNION
    SELECT e.blocker FROM edge AS e
)
SELECT o.pid,
       (SELECT pg_catalog.array_agg(e.blocker) FROM edge AS e WHERE e.pid = o.pid) AS blockers,
       (SELECT min(e.mode) FROM edge AS e WHERE e.pid = o.pid) AS waits_for,
       (SELECT min(e.locktype) FROM edge AS e WHERE e.pid = o.pid) AS lock_type,
       extract(epoch FROM pg_catalog.clock_timestamp()
           - (SELECT min(e.waitstart) FROM edge AS e WHERE e.pid = o.pid)) AS waiting_s,
       d.datname AS database, r.rolname AS role, a.application_name AS application, a.state,
       extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start) AS transaction_s,
       left(a.query, 1000) AS query,
       CASE WHEN o.pid <> 0
            THEN format('SELECT pg_terminate_backend(pid) FROM pg_stat_activity '
                        'WHERE pid = %s%s;', o.pid,
                        ' AND backend_start = ' || quote_literal(a.backend_start))
            ELSE 'SELECT format(''ROLLBACK PREPARED %L;'', gid) FROM pg_prepared_xacts '
                 'ORDER BY prepared LIMIT 1;'
       END AS fix_sql
  FROM one AS o
  LEFT JOIN pg_catalog.pg_stat_get_activity(NULL) AS a ON a.pid = o.pid
  LEFT JOIN pg_catalog.pg_database AS d ON d.oid = a.datid
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = a.usesysid
 ORDER BY waiting_s DESC NULLS FIRST, o.pid
 LIMIT 200;
