-- what: sessions and prepared transactions that hold locks and stop vacuum while nothing runs
-- check: idle in transaction
-- scope: database
-- rank: 25
-- servers: 14..18
-- now() is when the caller's transaction began, so clock_timestamp(). A pid can be used again
-- before the suggested statement runs: it names the session's start too.
WITH wanted AS (
    SELECT monitoring.threshold('idle_in_transaction_warning', '5 min')::interval AS warning,
           monitoring.threshold('idle_in_transaction_critical', '1 hour')::interval AS critical
), blocker AS (
    SELECT DISTINCT unnest(pg_blocking_pids(b.pid)) AS pid -- 0: a prepared transaction
      FROM (SELECT a.pid FROM pg_stat_activity AS a WHERE a.wait_event_type = 'Lock' LIMIT 50) AS b
), idle AS (
    SELECT a.pid, a.backend_start, a.usename, a.datname, a.application_name, a.client_addr,
           clock_timestamp() - a.state_change AS idle_for,
           clock_timestamp() - a.xact_start AS open_for,
           EXISTS (SELECT FROM blocker AS b WHERE b.pid = a.pid) AS blocks
      FROM pg_stat_activity AS a
     WHERE a.state LIKE 'idle in transaction%'
       AND a.datname = current_database()
)
SELECT CASE WHEN i.idle_for >= w.critical OR i.blocks THEN 'critical' ELSE 'warning' END,
       format('session %s (%I, %s) idle in transaction for %s', i.pid, i.usename,
              coalesce(nullif(i.application_name, ''), 'no application name'),
              date_trunc('second', i.idle_for)),
       format('transaction open for %s, from %s%s', date_trunc('second', i.open_for),
              coalesce(host(i.client_addr), 'a local socket'),
              CASE WHEN i.blocks THEN '; others wait for its locks' END),
       'measured',
       format('SELECT pg_terminate_backend(pid) FROM pg_stat_activity '
              'WHERE pid = %s AND backend_start = %L;', i.pid, i.backend_start)
  FROM idle AS i
 CROSS JOIN wanted AS w
 WHERE i.idle_for >= w.warning
 UNION ALL
SELECT CASE WHEN clock_timestamp() - x.prepared >= w.critical THEN 'critical' ELSE 'warning' END,
       format('prepared transaction %L of %I left for %s', x.gid, x.owner,
              date_trunc('second', clock_timestamp() - x.prepared)),
       concat_ws('; ', 'it keeps its locks and stops vacuum, also over a restart',
                 CASE WHEN EXISTS (SELECT FROM blocker AS b WHERE b.pid = 0)
                      THEN 'others wait for the locks of a prepared transaction' END),
       'measured',
       format('ROLLBACK PREPARED %L; -- or COMMIT PREPARED: ask its transaction manager first',
              x.gid)
  FROM pg_prepared_xacts AS x
 CROSS JOIN wanted AS w
 WHERE x.database = current_database() AND clock_timestamp() - x.prepared >= w.warning
 UNION ALL
SELECT 'unknown', 'states of other roles'' sessions are not visible',
       format('%I is not a member of pg_read_all_stats', current_user),
       'not measurable with this role',
       format('GRANT pg_monitor TO %I;', current_user)
 WHERE NOT pg_has_role('pg_read_all_stats', 'USAGE');
