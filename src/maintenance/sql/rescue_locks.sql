-- what: the heads of the chains of sessions that wait for locks
-- servers: 14..
-- $1 idle_minutes integer, $2 query_minutes integer (neither is used here)
-- returns: severity, text, what, how, pid, backend_start, sql
WITH RECURSIVE edge AS MATERIALIZED (
    SELECT a.pid AS waiter, b.pid AS blocker,
           (SELECT clock_timestamp() - min(l.waitstart) FROM pg_locks AS l
             WHERE l.pid = a.pid AND NOT l.granted) AS waits
      FROM pg_stat_activity AS a CROSS JOIN LATERAL unnest(pg_blocking_pids(a.pid)) AS b (pid)
     WHERE a.wait_event_type = 'Lock' AND $1::integer + $2::integer IS NOT NULL
), chain AS (
    SELECT DISTINCT e.blocker AS head, e.waiter FROM edge AS e
     WHERE NOT EXISTS (SELECT FROM edge AS w WHERE w.waiter = e.blocker)
     UNION
    SELECT c.head, e.waiter FROM chain AS c JOIN edge AS e ON e.blocker = c.waiter
), head AS (
    SELECT c.head AS pid, count(DISTINCT c.waiter) AS behind, max(e.waits) AS longest
      FROM chain AS c JOIN edge AS e ON e.waiter = c.waiter GROUP BY c.head
), known AS (
    SELECT h.*, a.backend_type, a.state, a.backend_start, a.query,
           CASE WHEN a.backend_type = 'client backend'
                THEN format('session %s, %s of %s on %s, %s', h.pid,
                            coalesce(nullif(a.application_name, ''), 'no name'),
                            coalesce(a.usename, '?'), coalesce(a.datname, '?'), a.state)
                ELSE format('%s %s on %s, %s', a.backend_type, h.pid, coalesce(a.datname, '?'),
                            left(a.query, 100)) END AS who,
           a.backend_type = 'client backend'
             AND a.application_name
                 !~* '^(pgdeck|pgbackrest|barman|wal-g|pg_dump|pg_basebackup|pg_probackup)'
             AND (a.state = 'active' OR a.state LIKE 'idle in transaction%') -- no leader by advisory lock
             AND a.wait_event IS DISTINCT FROM 'SyncRep'
             AND NOT EXISTS (SELECT FROM pg_stat_progress_vacuum AS v WHERE v.pid = a.pid) AS may
      FROM head AS h LEFT JOIN pg_stat_activity AS a ON a.pid = h.pid
     WHERE h.behind >= 3 OR h.longest >= interval '5 s'
)
SELECT 'critical' AS severity,
       CASE WHEN pid = 0 THEN format('%s sessions wait behind a prepared transaction: %s', behind,
                 (SELECT string_agg(format('%L, %s old', gid,
                         date_trunc('second', clock_timestamp() - prepared)), '; ' ORDER BY prepared)
                    FROM pg_prepared_xacts))
            WHEN may THEN format('%s sessions wait behind %s: %s', behind, who, left(query, 100))
            ELSE format('%s sessions wait behind %s, which is not ended', behind, who) END AS text,
       CASE WHEN may AND state = 'active' THEN format('cancel the query of session %s', pid)
            WHEN may THEN format('end session %s', pid) END AS what,
       CASE WHEN state = 'active' THEN 'cancel' ELSE 'terminate' END AS how,
       pid::text AS pid, backend_start::text AS backend_start,
       CASE WHEN pid = 0 THEN
            (SELECT string_agg(format('ROLLBACK PREPARED %L', gid), '; ' ORDER BY prepared)
               FROM pg_prepared_xacts) END AS sql
  FROM known
 ORDER BY behind DESC
 LIMIT 20
