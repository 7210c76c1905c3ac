-- what: each session that waits for a lock, for how long, and who holds it
-- object: view monitoring.v_lock_waits
-- servers: 14..18
-- after: monitoring.src_lock_edges
CREATE OR REPLACE VIEW monitoring.v_lock_waits AS
SELECT e.waiting_pid,
       w.datname AS database_name,
       w.usename AS waiting_role,
       pg_catalog.date_trunc('second', pg_catalog.clock_timestamp() - e.waiting_since)
           AS waiting_for,
       e.lock_type,
       e.lock_mode,
       CASE WHEN c.relname IS NOT NULL
            THEN pg_catalog.format('%I.%I', n.nspname, c.relname)
            ELSE CAST(e.relation_oid AS text) END AS table_name,
       e.blocking_pid,
       e.blocking_gid AS blocking_prepared_transaction,
       b.usename AS blocking_role,
       b.application_name AS blocking_application,
       CASE WHEN e.blocking_gid IS NOT NULL THEN 'prepared transaction'
            ELSE coalesce(b.state, 'not visible to this role') END AS blocking_state,
       pg_catalog.left(w.query, 200) AS waiting_query,
       pg_catalog.left(b.query, 200) AS blocking_query
  FROM monitoring.src_lock_edges AS e
  LEFT JOIN pg_catalog.pg_stat_activity AS w ON w.pid = e.waiting_pid
  LEFT JOIN pg_catalog.pg_stat_activity AS b ON b.pid = e.blocking_pid
  LEFT JOIN pg_catalog.pg_class AS c
    ON c.oid = e.relation_oid
   AND e.database_oid = (SELECT d.oid FROM pg_catalog.pg_database AS d
                          WHERE d.datname = pg_catalog.current_database())
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 ORDER BY e.waiting_since NULLS LAST, e.waiting_pid;

COMMENT ON VIEW monitoring.v_lock_waits IS
'One row for each session of the server that waits for a lock and each one in its way; the longest
wait first. Look for a waiting_for of more than some seconds; for a lock_mode of
AccessExclusiveLock (a queued ALTER TABLE: all later readers wait behind it); and for who is at the
head: v_lock_monitoring shows the tree. Tables of other databases are shown as numbers.';

GRANT SELECT ON monitoring.v_lock_waits TO pg_monitor;
