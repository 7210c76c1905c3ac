-- what: standbys that are behind, and on a standby itself: replay that is paused or cut off
-- check: replication lag
-- scope: server
-- rank: 16
-- servers: 14..18
SELECT CASE WHEN r.replay_lag >= monitoring.threshold('replication_lag_critical', '5 min')::interval
            THEN 'critical' ELSE 'warning' END,
       format('standby %s is %s behind', coalesce(nullif(r.application_name, ''), r.pid::text),
              date_trunc('second', r.replay_lag)),
       format('%s, %s; %s not replayed', r.state, r.sync_state,
              pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn))),
       'measured', NULL
  FROM pg_stat_replication AS r
 WHERE NOT pg_is_in_recovery()
   AND r.replay_lag >= monitoring.threshold('replication_lag_warning', '30 s')::interval
 UNION ALL
SELECT 'warning', 'replay of WAL is paused on this standby',
       format('replayed up to %s', pg_last_xact_replay_timestamp()), 'measured',
       'SELECT pg_wal_replay_resume();'
 WHERE CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END
 UNION ALL
SELECT CASE WHEN s.behind >= monitoring.threshold('replication_lag_critical', '5 min')::interval
            THEN 'critical' ELSE 'warning' END,
       format('this standby is %s behind', date_trunc('second', s.behind)),
       format('received up to %s, replayed up to %s', s.received, s.replayed), 'measured', NULL
  FROM (SELECT clock_timestamp() - pg_last_xact_replay_timestamp() AS behind,
               pg_last_wal_receive_lsn() AS received, pg_last_wal_replay_lsn() AS replayed
         WHERE pg_is_in_recovery()) AS s
 WHERE s.received <> s.replayed
   AND s.behind >= monitoring.threshold('replication_lag_warning', '30 s')::interval
 UNION ALL
SELECT 'warning', 'this standby receives nothing',
       'there is no WAL receiver: is the primary reachable, primary_conninfo right?',
       'measured', NULL
 WHERE pg_is_in_recovery() AND current_setting('primary_conninfo') <> ''
   AND NOT EXISTS (SELECT FROM pg_stat_wal_receiver AS w WHERE w.pid IS NOT NULL)
 UNION ALL
SELECT 'unknown', 'the state of replication is not visible',
       format('%I is not a member of pg_read_all_stats', current_user),
       'not measurable with this role', format('GRANT pg_monitor TO %I;', current_user)
 WHERE NOT pg_has_role('pg_read_all_stats', 'USAGE');
