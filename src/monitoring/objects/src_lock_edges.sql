-- what: who waits for whom: one row for each session that waits and each one that is in its way
-- object: view monitoring.src_lock_edges
-- servers: 14..18
-- pg_blocking_pids() says 0 for a prepared transaction: its locks have no pid, and all of them the
-- virtualtransaction of the lock that it holds on its own transaction id.
CREATE OR REPLACE VIEW monitoring.src_lock_edges AS
WITH waiting AS (
    SELECT l.pid, l.locktype, l.database, l.relation, l.page, l.tuple, l.virtualxid,
           l.transactionid, l.classid, l.objid, l.objsubid, l.mode, l.waitstart
      FROM pg_catalog.pg_locks AS l
     WHERE NOT l.granted
     LIMIT 500
), edge AS (
    SELECT w.*, b.pid AS blocker_pid
      FROM waiting AS w
     CROSS JOIN LATERAL (SELECT DISTINCT u.pid
                           FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids(w.pid)) AS u (pid))
           AS b
)
SELECT e.pid AS waiting_pid,
       nullif(e.blocker_pid, 0) AS blocking_pid,
       p.gid AS blocking_gid,
       e.locktype AS lock_type,
       e.mode AS lock_mode,
       e.database AS database_oid,
       e.relation AS relation_oid,
       e.waitstart AS waiting_since
  FROM edge AS e
  LEFT JOIN LATERAL (
        SELECT x.gid
          FROM pg_catalog.pg_locks AS h
          JOIN pg_catalog.pg_locks AS o
            ON o.virtualtransaction = h.virtualtransaction AND o.locktype = 'transactionid'
           AND o.granted AND o.pid IS NULL
          JOIN pg_catalog.pg_prepared_xacts AS x
            ON CAST(x.transaction AS text) = CAST(o.transactionid AS text)
         WHERE h.granted AND h.pid IS NULL
           AND (h.locktype, h.database, h.relation, h.page, h.tuple, h.virtualxid, h.classid,
                h.objid, h.objsubid)
               IS NOT DISTINCT FROM
               (e.locktype, e.database, e.relation, e.page, e.tuple, e.virtualxid, e.classid,
                e.objid, e.objsubid)
           AND CAST(h.transactionid AS text) IS NOT DISTINCT FROM CAST(e.transactionid AS text)
         ORDER BY x.prepared
         LIMIT 1) AS p ON e.blocker_pid = 0;

COMMENT ON VIEW monitoring.src_lock_edges IS
'Who waits for whom, at most 500 waiting sessions; read v_lock_monitoring or v_lock_waits instead.';

GRANT SELECT ON monitoring.src_lock_edges TO pg_monitor;
