-- what: temporary files, deadlocks, transaction age and vacuums under way, by database
-- object: view monitoring.v_maintenance_status
-- servers: 14..18
-- after: monitoring.src_counted_since, monitoring.src_tables
CREATE OR REPLACE VIEW monitoring.v_maintenance_status AS
SELECT d.datname AS database_name,
       s.temp_files,
       s.temp_bytes,
       s.deadlocks,
       s.conflicts,
       s.checksum_failures,
       pg_catalog.age(d.datfrozenxid) AS xid_age,
       pg_catalog.trunc(100.0 * pg_catalog.age(d.datfrozenxid) / 2147483648, 1) AS xid_age_percent,
       pg_catalog.mxid_age(d.datminmxid) AS multixact_age,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_progress_vacuum AS v
         WHERE v.datid = d.oid) AS vacuums_running,
       t.tables,
       t.vacuum_due AS tables_vacuum_due,
       t.analyze_due AS tables_analyze_due,
       t.autovacuum_off AS tables_autovacuum_off,
       t.oldest_vacuum,
       c.counted_since
  FROM pg_catalog.pg_database AS d
  JOIN pg_catalog.pg_stat_database AS s ON s.datid = d.oid
  JOIN monitoring.src_counted_since AS c ON c.database_oid = d.oid
  LEFT JOIN (SELECT pg_catalog.count(*) AS tables,
                    pg_catalog.count(*) FILTER (WHERE u.n_dead_tup > m.vacuum_trigger_rows)
                        AS vacuum_due,
                    pg_catalog.count(*)
                        FILTER (WHERE u.n_mod_since_analyze > m.analyze_trigger_rows)
                        AS analyze_due,
                    pg_catalog.count(*) FILTER (WHERE NOT m.autovacuum_on) AS autovacuum_off,
                    pg_catalog.min(greatest(u.last_vacuum, u.last_autovacuum)) AS oldest_vacuum
               FROM monitoring.src_tables AS m
               LEFT JOIN pg_catalog.pg_stat_all_tables AS u ON u.relid = m.relid
              WHERE m.relkind <> 'p') AS t ON d.datname = pg_catalog.current_database()
 WHERE NOT d.datistemplate
 ORDER BY d.datname <> pg_catalog.current_database(), d.datname;

COMMENT ON VIEW monitoring.v_maintenance_status IS
'One row for each database, this one first. Look for temp_files above 0 that grow (work_mem too
small for some query: v_slow_queries, temp_blocks), deadlocks, checksum_failures above 0 (broken
disk: act now), xid_age_percent above 10 (autovacuum cannot freeze: something holds it back), and
tables_vacuum_due. The columns about tables are empty for other databases: look from there.
Counts are since counted_since.';

GRANT SELECT ON monitoring.v_maintenance_status TO pg_monitor;
