-- what: how far replicas are behind, and how much WAL was written
-- servers: 14..
-- returns: lag_ms, wal_bytes
SELECT (SELECT coalesce(max(extract(epoch FROM replay_lag) * 1000), 0)::bigint
          FROM pg_stat_replication WHERE state = 'streaming') AS lag_ms,
       pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint AS wal_bytes
