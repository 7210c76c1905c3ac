-- what: ends or cancels a session, if it is still that one and may be: never replication, autovacuum,
--       or pgdeck's own
-- servers: 14..
-- $1 pid integer, $2 backend_start timestamptz, $3 how text (terminate, cancel)
-- returns: is_sent; no row: there is no such session any more
SELECT CASE WHEN $3 = 'cancel' THEN pg_cancel_backend(a.pid)
            ELSE pg_terminate_backend(a.pid, 2000) END AS is_sent
  FROM pg_stat_activity AS a
 WHERE a.pid = $1::integer AND a.backend_start = $2::timestamptz
   AND a.backend_type = 'client backend'
     AND a.application_name
         !~* '^(pgdeck|pgbackrest|barman|wal-g|pg_dump|pg_basebackup|pg_probackup)'
   AND a.query !~* 'pg_(backup_start|start_backup)' AND a.wait_event IS DISTINCT FROM 'SyncRep'
   AND a.pid <> pg_backend_pid()
