-- what: the counters of all databases of a server
-- servers: 14..18
SELECT d.oid AS database_oid, d.datname AS name, s.numbackends AS sessions,
       s.xact_commit AS commits, s.xact_rollback AS rollbacks,
       s.blks_hit AS blocks_hit, s.blks_read AS blocks_read,
       s.temp_files, s.temp_bytes, s.deadlocks, s.conflicts,
       s.tup_returned AS rows_read, s.tup_inserted AS rows_inserted,
       s.tup_updated AS rows_updated, s.tup_deleted AS rows_deleted,
       coalesce(s.checksum_failures, 0) AS checksum_failures,
       extract(epoch FROM s.stats_reset) AS counted_since,
       pg_catalog.age(d.datfrozenxid) AS xid_age
  FROM pg_catalog.pg_database AS d
  JOIN pg_catalog.pg_stat_database AS s ON s.datid = d.oid
 WHERE d.datallowconn;
