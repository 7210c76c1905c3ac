-- what: deadlocks, and transactions that mostly roll back
-- check: deadlocks and rollbacks
-- scope: database
-- rank: 80
-- servers: 14..18
SELECT 'info', format('%s deadlocks in %s', s.deadlocks, c.counted_for),
       'two transactions took the same locks in another order; the server log has their statements',
       'measured', NULL
  FROM pg_stat_database AS s
  JOIN monitoring.src_counted_since AS c ON c.database_oid = s.datid
 WHERE s.datname = current_database() AND s.deadlocks > 0
 UNION ALL
SELECT 'info',
       format('%s %% of transactions roll back',
              trunc(100.0 * s.xact_rollback / (s.xact_commit + s.xact_rollback), 1)),
       format('%s of %s since the counters began', s.xact_rollback,
              s.xact_commit + s.xact_rollback),
       'measured', NULL
  FROM pg_stat_database AS s
 WHERE s.datname = current_database() AND s.xact_rollback > 1000
   AND s.xact_rollback > 0.2 * (s.xact_commit + s.xact_rollback)
 UNION ALL
SELECT 'info', format('%s sessions were lost by their clients, %s ended by a fatal error',
                      s.sessions_abandoned, s.sessions_fatal),
       format('of %s since the counters began; the server log says why', s.sessions), 'measured',
       NULL
  FROM pg_stat_database AS s
 WHERE s.datname = current_database() AND s.sessions >= 100
   AND s.sessions_abandoned + s.sessions_fatal > 0.05 * s.sessions;
