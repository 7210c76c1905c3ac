-- what: what takes disk and can grow: WAL and who keeps it, temporary files, databases
-- servers: 14..
-- $1 idle_minutes integer, $2 query_minutes integer (neither is used here)
-- returns: severity, text, what, how, pid, backend_start, sql
WITH wal AS (
    SELECT sum(size) AS bytes, 1024 * 1024 * (SELECT setting::numeric FROM pg_settings
                                               WHERE name = 'max_wal_size') AS most
      FROM pg_ls_waldir()
     WHERE $1::integer + $2::integer IS NOT NULL
), slot AS (
    SELECT s.slot_name, s.active, pg_current_wal_lsn() - s.restart_lsn AS kept
      FROM pg_replication_slots AS s WHERE s.restart_lsn IS NOT NULL AND NOT pg_is_in_recovery()
), temporary AS (
    SELECT substring(f.name FROM '^pgsql_tmp([0-9]+)')::integer AS pid, sum(f.size) AS bytes
      FROM pg_ls_tmpdir() AS f WHERE f.name ~ '^pgsql_tmp[0-9]+[.]' GROUP BY 1
), seen AS (
    SELECT 1 AS turn, CASE WHEN w.bytes > 2 * w.most THEN 'warning' ELSE 'info' END AS severity,
           format('WAL: %s, max_wal_size %s', pg_size_pretty(w.bytes), pg_size_pretty(w.most))
             AS text, NULL AS what, NULL AS how, NULL AS pid, NULL AS backend_start, NULL AS sql
      FROM wal AS w
     UNION ALL
    SELECT 2, 'critical', format('replication slot %I%s keeps %s of WAL', s.slot_name,
           CASE WHEN s.active THEN '' ELSE ', which nobody uses,' END, pg_size_pretty(s.kept)),
           NULL, NULL, NULL, NULL, format('SELECT pg_drop_replication_slot(%L)', s.slot_name)
      FROM slot AS s CROSS JOIN wal AS w WHERE s.kept > 2 * w.most
     UNION ALL
    SELECT 3, 'critical', format('archiving has failed %s times, last at %s on %s: WAL is kept until it works',
           r.failed_count, date_trunc('second', r.last_failed_time), r.last_failed_wal),
           NULL, NULL, NULL, NULL, NULL
      FROM pg_stat_archiver AS r
     WHERE r.last_failed_time > coalesce(r.last_archived_time, '-infinity')
       AND current_setting('archive_mode') <> 'off'
     UNION ALL
    SELECT 4, 'warning', format('session %s of %s on %s has %s of temporary files: %s', a.pid,
           a.usename, a.datname, pg_size_pretty(t.bytes), left(a.query, 100)),
           format('cancel the query of session %s', a.pid), 'cancel', a.pid::text,
           a.backend_start::text, NULL
      FROM temporary AS t JOIN pg_stat_activity AS a ON a.pid = t.pid
     WHERE t.bytes >= 1073741824 AND a.backend_type = 'client backend'
       AND a.application_name !~* '^(pgdeck|pgbackrest|barman|wal-g|pg_dump|pg_basebackup|pg_probackup)'
)
SELECT severity, text, what, how, pid, backend_start, sql FROM seen ORDER BY turn
