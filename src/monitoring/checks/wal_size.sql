-- what: much more WAL on disk than max_wal_size says
-- check: wal size
-- scope: server
-- rank: 28
-- servers: 14..18
-- Beyond twice max_wal_size and wal_keep_size, what keeps it is a slot or an archiver behind.
WITH held AS (
    SELECT s.slot_name, s.active, pg_wal_lsn_diff(p.lsn, s.restart_lsn) AS bytes
      FROM pg_replication_slots AS s
     CROSS JOIN (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                             ELSE pg_current_wal_lsn() END AS lsn) AS p
     WHERE s.restart_lsn IS NOT NULL
     ORDER BY bytes DESC
     LIMIT 1
), stuck AS (
    SELECT a.last_failed_wal FROM pg_stat_archiver AS a
     WHERE current_setting('archive_mode') <> 'off'
       AND a.last_failed_time > coalesce(a.last_archived_time, '-infinity')
)
SELECT CASE WHEN w.bytes >= monitoring.threshold('wal_size_critical', '107374182400')::numeric
            THEN 'critical' ELSE 'warning' END,
       format('pg_wal holds %s, max_wal_size is %s', pg_size_pretty(w.bytes),
              current_setting('max_wal_size')),
       concat_ws('; ', 'wal_keep_size is ' || current_setting('wal_keep_size'),
                 (SELECT format('replication slot %L keeps %s', h.slot_name,
                                pg_size_pretty(h.bytes)) FROM held AS h),
                 (SELECT format('archiving fails at %s', t.last_failed_wal) FROM stuck AS t)),
       'measured',
       (SELECT format('SELECT pg_drop_replication_slot(%L); CHECKPOINT; -- if its reader is gone '
                      'for good', h.slot_name)
          FROM held AS h
         WHERE NOT h.active AND h.bytes >= w.bytes / 2 AND NOT EXISTS (SELECT FROM stuck AS t))
  FROM (SELECT sum(d.size)::bigint AS bytes FROM pg_ls_waldir() AS d) AS w
 WHERE w.bytes > 2 * 1048576 * (SELECT s.setting::bigint FROM pg_settings AS s
                                 WHERE s.name = 'max_wal_size')
                 + 1048576 * (SELECT s.setting::bigint FROM pg_settings AS s
                               WHERE s.name = 'wal_keep_size')
   AND w.bytes >= monitoring.threshold('wal_size_warning', '1073741824')::numeric;
