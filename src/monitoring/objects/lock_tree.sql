-- what: the tree of sessions that wait for each other
-- object: function monitoring.lock_tree()
-- servers: 14..18
-- after: monitoring.src_lock_edges
-- A function, since compiling the recursive query (jit) takes a second, and a view cannot say no.
CREATE OR REPLACE FUNCTION monitoring.lock_tree()
RETURNS TABLE (depth integer, session text, pid integer, prepared_transaction text,
               database_name name, role_name name, application_name text, state text,
               waits_for text, waiting_for interval, in_transaction_for interval,
               sessions_behind bigint, query text, fix_sql text)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $function$
WITH RECURSIVE edge AS MATERIALIZED (
    SELECT e.waiting_pid, e.lock_mode, e.lock_type, e.waiting_since,
           coalesce(e.blocking_pid::text, 'prepared ' || coalesce(e.blocking_gid, '?'))
               AS blocker,
           e.blocking_pid, e.blocking_gid
      FROM monitoring.src_lock_edges AS e
), tree AS (
    SELECT DISTINCT 0 AS depth, e.blocker AS name, e.blocking_pid AS pid, e.blocking_gid AS gid,
           NULL::text AS lock_mode, NULL::timestamptz AS since,
           ARRAY[e.blocker] AS path
      FROM edge AS e
     WHERE NOT EXISTS (SELECT FROM edge AS w WHERE w.waiting_pid = e.blocking_pid)
     UNION ALL
    SELECT t.depth + 1, e.waiting_pid::text, e.waiting_pid, NULL, e.lock_mode,
           e.waiting_since, t.path || e.waiting_pid::text
      FROM tree AS t
      JOIN edge AS e ON e.blocker = t.name
     WHERE t.depth < 20
       AND NOT e.waiting_pid::text = ANY (t.path)
)
SELECT t.depth,
       repeat('  ', t.depth) || t.name AS session,
       t.pid,
       t.gid AS prepared_transaction,
       a.datname AS database_name,
       coalesce(a.usename, p.owner) AS role_name,
       a.application_name,
       CASE WHEN t.gid IS NOT NULL THEN 'prepared' ELSE a.state END AS state,
       t.lock_mode AS waits_for,
       date_trunc('second', clock_timestamp() - t.since) AS waiting_for,
       date_trunc('second', clock_timestamp()
           - coalesce(a.xact_start, p.prepared)) AS in_transaction_for,
       (SELECT count(DISTINCT o.name) FROM tree AS o
         WHERE o.path[1] = t.path[1] AND o.depth > t.depth AND o.path[t.depth + 1] = t.name)
           AS sessions_behind,
       left(a.query, 200) AS query,
       CASE WHEN t.depth > 0 THEN NULL
            WHEN t.gid IS NOT NULL THEN format('ROLLBACK PREPARED %L;', t.gid)
            WHEN t.pid IS NOT NULL THEN
            format('SELECT pg_terminate_backend(pid) FROM pg_stat_activity '
                              'WHERE pid = %s AND backend_start = %L;', t.pid, a.backend_start)
       END AS fix_sql
  FROM tree AS t
  LEFT JOIN pg_stat_activity AS a ON a.pid = t.pid
  LEFT JOIN pg_prepared_xacts AS p ON p.gid = t.gid
 ORDER BY t.path
$function$;

COMMENT ON FUNCTION monitoring.lock_tree() IS
'Who waits for whom, from the heads down; read v_lock_monitoring instead.';

GRANT EXECUTE ON FUNCTION monitoring.lock_tree() TO pg_monitor;
