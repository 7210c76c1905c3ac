-- what: archiving of WAL that fails
-- check: archiver
-- scope: server
-- rank: 10
-- servers: 14..18
SELECT 'critical', format('archiving fails at %s', a.last_failed_wal),
       format('%s failures, the last %s; last success %s; pg_wal grows until it works',
              a.failed_count, date_trunc('second', a.last_failed_time),
              coalesce(date_trunc('second', a.last_archived_time)::text, 'never')),
       'measured', NULL
  FROM pg_stat_archiver AS a
 WHERE current_setting('archive_mode') <> 'off'
   AND a.last_failed_time > coalesce(a.last_archived_time, '-infinity');
