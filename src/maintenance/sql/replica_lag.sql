-- what: how far the slowest replica is behind; 0: there is none
-- servers: 14..
SELECT coalesce(max(extract(epoch FROM replay_lag) * 1000), 0)::bigint AS lag_ms
  FROM pg_stat_replication
