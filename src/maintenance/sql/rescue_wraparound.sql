-- what: databases on their way to wraparound, and what keeps VACUUM from freezing
-- servers: 14..
-- $1 idle_minutes integer, $2 query_minutes integer (neither is used here)
-- returns: severity, text, what, how, pid, backend_start, sql
WITH aged AS (
    SELECT d.datname, greatest(age(d.datfrozenxid)::bigint, mxid_age(d.datminmxid)::bigint) AS age
      FROM pg_database AS d WHERE $1::integer + $2::integer IS NOT NULL
), near AS (
    SELECT * FROM aged WHERE age > 1000000000
), seen AS (
    SELECT 1 AS turn, CASE WHEN n.age > 1600000000 THEN 'critical' ELSE 'warning' END AS severity,
           format('database %I has used %s of 2147 million ids', n.datname, n.age / 1000000) AS text,
           NULL AS what, NULL AS how, NULL AS pid, NULL AS backend_start,
           format('VACUUM (FREEZE) -- in %I, or: pgdeck maintain daily --database %s', n.datname,
                  n.datname) AS sql
      FROM near AS n
     UNION ALL
    SELECT 2, 'critical', format('session %s of %s on %s keeps rows from being frozen: its transaction '
           'or snapshot is %s transactions old', a.pid, a.usename, a.datname,
           greatest(age(a.backend_xmin), age(a.backend_xid))),
           CASE WHEN a.application_name
                     !~* '^(pgdeck|pgbackrest|barman|wal-g|pg_dump|pg_basebackup|pg_probackup)' THEN format('end session %s', a.pid) END,
           'terminate', a.pid::text, a.backend_start::text, NULL
      FROM pg_stat_activity AS a
     WHERE a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
       AND greatest(age(a.backend_xmin), age(a.backend_xid)) > 50000000
       AND EXISTS (SELECT FROM near)
       -- a new snapshot is as old as the oldest transaction that runs: that one is to end
       AND NOT EXISTS (SELECT FROM pg_prepared_xacts AS p WHERE p.transaction = a.backend_xmin)
       AND NOT EXISTS (SELECT FROM pg_stat_activity AS b
                        WHERE b.backend_xid = a.backend_xmin AND b.pid <> a.pid)
     UNION ALL
    SELECT 3, 'critical', format('prepared transaction %L keeps rows from being frozen', p.gid), NULL,
           NULL, NULL, NULL, format('ROLLBACK PREPARED %L', p.gid)
      FROM pg_prepared_xacts AS p
     WHERE age(p.transaction) > 50000000 AND EXISTS (SELECT FROM near)
     UNION ALL
    SELECT 4, 'critical', format('replication slot %I keeps rows from being frozen', s.slot_name), NULL,
           NULL, NULL, NULL, format('SELECT pg_drop_replication_slot(%L)', s.slot_name)
      FROM pg_replication_slots AS s
     WHERE greatest(age(s.xmin), age(s.catalog_xmin)) > 50000000 AND EXISTS (SELECT FROM near)
)
SELECT severity, text, what, how, pid, backend_start, sql FROM seen ORDER BY turn
