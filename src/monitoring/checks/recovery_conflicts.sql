-- what: queries on a standby that replay of WAL has cancelled
-- check: recovery conflicts
-- scope: database
-- rank: 45
-- servers: 14..18
-- With hot_standby_feedback the primary keeps what snapshots of the standby need; locks, buffers
-- and deadlocks are a matter of how long replay may wait.
SELECT CASE WHEN c.snapshots >= monitoring.threshold('recovery_conflicts_critical',
                                                     '1000')::bigint
            THEN 'critical' ELSE 'warning' END,
       format('%s queries were cancelled for rows that the primary had vacuumed', c.snapshots),
       format('since %s; hot_standby_feedback is off', s.stats_reset), 'measured',
       'ALTER SYSTEM SET hot_standby_feedback = on; SELECT pg_reload_conf(); -- the primary keeps '
       'dead rows as long as queries here need them'
  FROM (SELECT k.datid, k.confl_snapshot AS snapshots FROM pg_stat_database_conflicts AS k
         WHERE k.datname = current_database()) AS c
  JOIN pg_stat_database AS s ON s.datid = c.datid
 WHERE pg_is_in_recovery() AND NOT current_setting('hot_standby_feedback')::boolean
   AND c.snapshots >= monitoring.threshold('recovery_conflicts_warning', '10')::bigint
 UNION ALL
SELECT 'info', format('%s queries were cancelled for locks, %s for other reasons', k.confl_lock,
                      k.confl_tablespace + k.confl_bufferpin + k.confl_deadlock),
       format('max_standby_streaming_delay is %s', current_setting('max_standby_streaming_delay')),
       'measured', NULL
  FROM pg_stat_database_conflicts AS k
 WHERE k.datname = current_database() AND pg_is_in_recovery()
   AND k.confl_lock + k.confl_tablespace + k.confl_bufferpin + k.confl_deadlock > 0;
