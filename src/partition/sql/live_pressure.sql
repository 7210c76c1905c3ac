-- what: how many replicas have not replayed what had been written by then, and how much WAL was
--       written. Their own replay_lag does not grow while a replica stands still.
-- servers: 14..
-- $1 position pg_lsn (null: what has been written by now)
-- returns: behind, position, wal_bytes
SELECT (SELECT count(*) FROM pg_stat_replication AS r
         WHERE r.replay_lsn < coalesce($1::pg_lsn, w.position)) AS behind,
       w.position, pg_wal_lsn_diff(w.position, '0/0')::bigint AS wal_bytes
  FROM (SELECT pg_current_wal_lsn() AS position) AS w
