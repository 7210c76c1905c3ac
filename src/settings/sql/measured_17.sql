-- what: how much log the server writes, and how often it runs checkpoints
-- servers: 17..
-- returns: one row
SELECT wal_bytes::float8 AS wal_bytes,
       extract(epoch FROM now() - w.stats_reset)::float8 AS wal_seconds,
       to_char(w.stats_reset, 'YYYY-MM-DD') AS since,
       num_timed AS timed, num_requested AS requested
  FROM pg_stat_wal AS w, pg_stat_checkpointer
