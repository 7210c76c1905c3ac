-- what: sessions and prepared transactions that others wait for
-- check: lock waits
-- scope: database
-- rank: 8
-- servers: 14..18
-- Only the heads of the queues, those in this database: ending one of the middle helps nobody.
WITH RECURSIVE edge AS MATERIALIZED (
    SELECT e.waiting_pid, e.waiting_since, e.lock_mode, e.relation_oid, e.blocking_pid,
           e.blocking_gid,
           coalesce(e.blocking_pid::text, 'prepared ' || coalesce(e.blocking_gid, '?')) AS blocker
      FROM monitoring.src_lock_edges AS e
), behind AS (
    SELECT e.blocker AS head, e.blocking_pid, e.blocking_gid, e.waiting_pid, e.waiting_since,
           1 AS depth
      FROM edge AS e
     WHERE NOT EXISTS (SELECT FROM edge AS w WHERE w.waiting_pid = e.blocking_pid)
     UNION
    SELECT b.head, b.blocking_pid, b.blocking_gid, e.waiting_pid, e.waiting_since, b.depth + 1
      FROM behind AS b
      JOIN edge AS e ON e.blocking_pid = b.waiting_pid
     WHERE b.depth < 20
), head AS (
    SELECT b.head, b.blocking_pid, b.blocking_gid, count(DISTINCT b.waiting_pid) AS waiting,
           clock_timestamp() - min(b.waiting_since) AS longest
      FROM behind AS b
     GROUP BY b.head, b.blocking_pid, b.blocking_gid
), judged AS (
    SELECT h.*, a.usename, a.application_name, a.state, a.backend_start, a.xact_start,
           left(a.query, 100) AS query, p.owner, p.prepared
      FROM head AS h
      LEFT JOIN pg_stat_activity AS a ON a.pid = h.blocking_pid
      LEFT JOIN pg_prepared_xacts AS p ON p.gid = h.blocking_gid
     WHERE coalesce(a.datname, p.database) = current_database()
)
SELECT CASE WHEN j.longest >= monitoring.threshold('lock_wait_critical', '1 min')::interval
            THEN 'critical' ELSE 'warning' END,
       format('%s session%s wait%s for %s', j.waiting, CASE WHEN j.waiting > 1 THEN 's' END,
              CASE WHEN j.waiting = 1 THEN 's' END,
              CASE WHEN j.blocking_gid IS NOT NULL
                   THEN format('the prepared transaction %L', j.blocking_gid)
                   ELSE format('session %s', j.blocking_pid) END),
       CASE WHEN j.blocking_gid IS NOT NULL
            THEN format('the longest for %s; prepared by %I %s ago',
                        date_trunc('second', j.longest), j.owner,
                        date_trunc('second', clock_timestamp() - j.prepared))
            ELSE format('the longest for %s; it is %s, of %I (%s), in its transaction for %s: %s',
                        date_trunc('second', j.longest),
                        coalesce(j.state, 'in a state not visible'), j.usename,
                        coalesce(nullif(j.application_name, ''), 'no application name'),
                        date_trunc('second', clock_timestamp() - j.xact_start), j.query) END,
       'measured',
       CASE WHEN j.blocking_gid IS NOT NULL
            THEN format('ROLLBACK PREPARED %L; -- or COMMIT PREPARED: ask its transaction manager '
                        'first', j.blocking_gid)
            ELSE format('SELECT pg_terminate_backend(pid) FROM pg_stat_activity '
                        'WHERE pid = %s AND backend_start = %L;', j.blocking_pid, j.backend_start)
       END
  FROM judged AS j
 WHERE j.longest >= monitoring.threshold('lock_wait_warning', '10 s')::interval
 ORDER BY j.waiting DESC
 LIMIT 20;
