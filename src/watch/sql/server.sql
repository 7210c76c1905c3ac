-- what: what a server is, and how far it is from its limits
-- servers: 14..18
-- A standby that has replayed all of a stream that flows is not behind, however long ago that was.
-- (status is NULL where it may not be seen.)
SELECT pg_catalog.current_setting('server_version') AS version,
       CASE WHEN NOT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
            THEN format('GRANT pg_monitor TO %I;', current_user)
       END AS grant_sql,
       pg_catalog.pg_is_in_recovery() AS is_in_recovery,
       extract(epoch FROM pg_catalog.pg_postmaster_start_time()) AS started_at,
       pg_catalog.current_setting('max_connections')::integer AS max_connections,
       coalesce(pg_catalog.current_setting('superuser_reserved_connections')::integer, 0)
           + coalesce(pg_catalog.current_setting('reserved_connections', true)::integer, 0)
           AS reserved_connections,
       CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN NULL
            WHEN pg_catalog.pg_last_wal_receive_lsn() = pg_catalog.pg_last_wal_replay_lsn()
                 AND EXISTS (SELECT FROM pg_catalog.pg_stat_wal_receiver AS r
                              WHERE coalesce(r.status, 'streaming') = 'streaming')
            THEN 0
            ELSE extract(epoch FROM pg_catalog.now() - pg_catalog.pg_last_xact_replay_timestamp())
       END AS replay_lag_s,
       (SELECT max(pg_catalog.age(d.datfrozenxid)) FROM pg_catalog.pg_database AS d) AS xid_age,
       (SELECT max(pg_catalog.mxid_age(d.datminmxid)) FROM pg_catalog.pg_database AS d)
           AS multixact_age,
       (SELECT w.wal_bytes FROM pg_catalog.pg_stat_wal AS w) AS wal_bytes;
