-- what: where the data is, and what of it grows: WAL by the second, the largest databases
-- servers: 14..
-- returns: folder (NULL: this role may not know), wal_rate, databases
WITH wal AS MATERIALIZED (
    SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_insert_lsn() END AS before,
           pg_sleep(0.2) AS pause,
           CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_insert_lsn() END AS after
), large AS (
    SELECT d.datname, pg_database_size(d.oid) AS bytes
      FROM pg_database AS d
     WHERE has_database_privilege(d.oid, 'CONNECT')
     ORDER BY 2 DESC
     LIMIT 3
)
SELECT CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE')
            THEN current_setting('data_directory') END AS folder,
       pg_size_pretty((w.after - w.before) * 5) AS wal_rate,
       (SELECT string_agg(format('%I %s', l.datname, pg_size_pretty(l.bytes)), ', '
                          ORDER BY l.bytes DESC) FROM large AS l) AS databases
  FROM wal AS w
