-- what: how many replicas have not replayed what had been written by then. Their own replay_lag does
--       not grow while a replica stands still.
-- servers: 14..
-- $1 position pg_lsn (null: what has been written by now)
-- returns: position, behind
SELECT p.position, (SELECT count(*) FROM pg_stat_replication AS r
                     WHERE r.replay_lsn < p.position) AS behind
  FROM (SELECT coalesce($1::pg_lsn, pg_current_wal_lsn()) AS position) AS p
