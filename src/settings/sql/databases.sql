-- what: size of each database, and what did not fit into work_mem there
-- servers: 14..
-- returns: a row each; size null: not permitted to know
SELECT d.datname AS name,
       CASE WHEN has_database_privilege(d.oid, 'CONNECT')
                 OR pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')
            THEN pg_database_size(d.oid) END AS size,
       temp_files, temp_bytes,
       extract(epoch FROM now() - coalesce(s.stats_reset, w.stats_reset))::float8 AS seconds,
       to_char(coalesce(s.stats_reset, w.stats_reset), 'YYYY-MM-DD') AS since
  FROM pg_database AS d JOIN pg_stat_database AS s ON s.datid = d.oid, pg_stat_wal AS w
 WHERE NOT d.datistemplate
