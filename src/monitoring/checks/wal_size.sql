-- what: much more WAL on disk than max_wal_size says
-- check: wal size
-- scope: server
-- rank: 28
-- servers: 14..18
SELECT 'warning',
       format('pg_wal holds %s, max_wal_size is %s', pg_size_pretty(w.bytes),
              current_setting('max_wal_size')),
       concat_ws('; ', 'wal_keep_size is ' || current_setting('wal_keep_size'),
                 (SELECT format('%s replication slots', count(*)) FROM pg_replication_slots),
                 'archive_mode is ' || current_setting('archive_mode')),
       'measured', NULL
  FROM (SELECT sum(d.size)::bigint AS bytes FROM pg_ls_waldir() AS d) AS w
 WHERE w.bytes > 2 * 1048576 * (SELECT s.setting::bigint FROM pg_settings AS s
                                 WHERE s.name = 'max_wal_size')
                 + 1048576 * (SELECT s.setting::bigint FROM pg_settings AS s
                               WHERE s.name = 'wal_keep_size')
   AND w.bytes > 1073741824;
