-- what: how much log the server writes, how often it runs checkpoints, who follows it
-- servers: 17..
-- returns: one row
SELECT wal_bytes::float8 AS wal_bytes,
       extract(epoch FROM now() - w.stats_reset)::float8 AS wal_seconds,
       to_char(w.stats_reset, 'YYYY-MM-DD') AS since,
       num_timed AS timed, num_requested AS requested,
       (SELECT count(*) FROM pg_stat_replication
         WHERE state = 'streaming' AND application_name NOT LIKE 'pg\_%') AS standbys
  FROM pg_stat_wal AS w, pg_stat_checkpointer
