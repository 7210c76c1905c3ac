-- what: what the server has counted so far
-- servers: 14..16
-- returns: one row
SELECT sum(d.xact_commit)::float8 AS commits, sum(d.xact_rollback)::float8 AS rollbacks,
       (SELECT checkpoints_req::float8 FROM pg_stat_bgwriter) AS checkpoints,
       (SELECT extract(epoch FROM clock_timestamp()
                         - coalesce(stats_reset, pg_postmaster_start_time()))::float8
          FROM pg_stat_bgwriter) AS checkpoint_seconds
  FROM pg_stat_database d
