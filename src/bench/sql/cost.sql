-- what: what this server has written to WAL and this database has touched until now
-- servers: 14..
-- returns: wal_bytes (null on a standby), buffers, buffers_read, temp_bytes
SELECT CASE WHEN pg_is_in_recovery() THEN NULL
            ELSE pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') END AS wal_bytes,
       blks_hit + blks_read AS buffers,
       blks_read AS buffers_read,
       temp_bytes
FROM pg_stat_database
WHERE datname = current_database();
