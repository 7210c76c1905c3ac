-- what: sessions that may be ended
-- servers: 14..
-- returns: pid, backend_start, who
SELECT a.pid, a.backend_start, format('session %s of %s on %s', a.pid, a.usename, a.datname) AS who
  FROM pg_stat_activity AS a
 WHERE a.backend_type = 'client backend'
   AND a.application_name
       !~* '^(pgdeck|pgbackrest|barman|wal-g|pg_dump|pg_basebackup|pg_probackup)'
   AND a.pid <> pg_backend_pid()
