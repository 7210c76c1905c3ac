-- what: checkpoints that come because max_wal_size is full
-- check: checkpoints
-- scope: server
-- rank: 64
-- servers: 14..18
-- In the interval since the last sample that is over a minute old, where history is recorded;
-- otherwise since the counters began. From 10 requested ones on; CHECKPOINT statements and
-- base backups request some too.
SELECT CASE WHEN r.percent >= monitoring.threshold('requested_checkpoints_critical', '100')::numeric
                 AND r.requested >= 100
            THEN 'critical' ELSE 'warning' END,
       format('%s %% of checkpoints do not wait for checkpoint_timeout', r.percent),
       format('%s of %s since %s; max_wal_size is %s', r.requested, r.requested + r.timed,
              date_trunc('second', r.since), r.max_wal_size),
       r.basis,
       format('ALTER SYSTEM SET max_wal_size = %L; SELECT pg_reload_conf();',
              (SELECT 2 * s.setting::bigint || 'MB' FROM pg_settings AS s
                WHERE s.name = 'max_wal_size'))
  FROM (SELECT d.*, trunc(100.0 * d.requested / nullif(d.requested + d.timed, 0), 1) AS percent
          FROM (SELECT c.requested - coalesce(h.requested_checkpoints, 0) AS requested,
                       c.timed - coalesce(h.timed_checkpoints, 0) AS timed, c.max_wal_size,
                       coalesce(h.at, c.counted_since) AS since,
                       CASE WHEN h.at IS NOT NULL THEN 'measured since the last sample'
                            ELSE 'mean since the counters began: may be long ago' END AS basis
                  FROM monitoring.v_checkpoint_stats AS c
                  LEFT JOIN LATERAL (
                        SELECT k.at, k.requested_checkpoints, k.timed_checkpoints
                          FROM monitoring.database_history AS k
                         WHERE k.at >= now() - interval '1 hour'
                           AND k.at <= now() - interval '1 minute'
                           AND k.requested_checkpoints <= c.requested
                           AND k.timed_checkpoints <= c.timed
                         ORDER BY k.at DESC
                         LIMIT 1) AS h ON true) AS d) AS r
 WHERE r.requested >= 10
   AND r.percent >= monitoring.threshold('requested_checkpoints_warning', '50')::numeric;
