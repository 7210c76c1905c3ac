-- what: what takes the room of a disk: databases, WAL, and who keeps WAL
-- servers: 14..18
SELECT 'database ' || d.datname AS what, pg_size_pretty(pg_database_size(d.oid)) AS size
  FROM pg_database AS d
 WHERE d.datallowconn
 UNION ALL
SELECT 'pg_wal', pg_size_pretty((SELECT sum(w.size) FROM pg_ls_waldir() AS w))
 UNION ALL
SELECT 'kept by slot ' || s.slot_name, pg_size_pretty(pg_current_wal_lsn() - s.restart_lsn)
  FROM pg_replication_slots AS s
 WHERE NOT pg_is_in_recovery();
