-- what: how many bytes of WAL there have been; 0 on a standby
-- servers: 14..
-- returns: position
SELECT CASE WHEN pg_is_in_recovery() THEN 0
            ELSE pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint END AS position;
