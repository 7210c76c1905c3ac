-- what: tables that autovacuum should have been at, the worst first, and the statement that does it
-- object: view monitoring.v_tables_needing_maintenance
-- servers: 14..18
-- after: monitoring.src_tables
CREATE OR REPLACE VIEW monitoring.v_tables_needing_maintenance AS
WITH state AS (
    SELECT t.schema_name, t.table_name, t.sql_name, t.relkind, t.autovacuum_on,
           s.n_live_tup, s.n_dead_tup, s.n_mod_since_analyze,
           greatest(s.last_vacuum, s.last_autovacuum) AS last_vacuum,
           greatest(s.last_analyze, s.last_autoanalyze) AS last_analyze,
           CASE WHEN t.relkind = 'r' THEN pg_catalog.trunc(CAST(100 * s.n_dead_tup
                / nullif(t.vacuum_trigger_rows, 0) AS numeric), 0) END AS vacuum_due_percent,
           CASE WHEN t.relkind <> 'p' THEN pg_catalog.trunc(CAST(100 * s.n_mod_since_analyze
                / nullif(t.analyze_trigger_rows, 0) AS numeric), 0) END AS analyze_due_percent,
           CASE WHEN c.relkind <> 'p' THEN pg_catalog.age(c.relfrozenxid) END AS xid_age,
           t.relkind = 'p' AND t.analyzed_rows IS NULL AND EXISTS (
               SELECT FROM monitoring.src_tables AS k
                WHERE k.root_relid = t.relid AND k.analyzed_rows > 0) AS never_analyzed
      FROM monitoring.src_tables AS t
      JOIN pg_catalog.pg_class AS c ON c.oid = t.relid
      LEFT JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = t.relid
), due AS (
    SELECT s.*,
           coalesce(s.vacuum_due_percent >= 100, false) AS vacuum_due,
           coalesce(s.analyze_due_percent >= 100, false) OR s.never_analyzed AS analyze_due,
           coalesce(s.xid_age > CAST(pg_catalog.current_setting('autovacuum_freeze_max_age')
                                     AS bigint), false) AS freeze_due
      FROM state AS s
)
SELECT d.schema_name,
       d.table_name,
       pg_catalog.concat_ws(', ',
           CASE WHEN d.freeze_due THEN 'old transactions to freeze' END,
           CASE WHEN d.vacuum_due THEN 'dead rows to clear' END,
           CASE WHEN d.never_analyzed THEN 'never analyzed (autovacuum leaves that out)'
                WHEN d.analyze_due THEN 'planner statistics behind' END,
           CASE WHEN NOT d.autovacuum_on THEN 'autovacuum is off' END) AS why,
       d.n_live_tup AS live_rows,
       d.n_dead_tup AS dead_rows,
       d.vacuum_due_percent,
       d.analyze_due_percent,
       d.xid_age,
       d.autovacuum_on,
       d.last_vacuum,
       d.last_analyze,
       CASE WHEN d.freeze_due THEN pg_catalog.format('VACUUM (FREEZE, ANALYZE) %s;', d.sql_name)
            WHEN d.vacuum_due THEN pg_catalog.format('VACUUM (ANALYZE) %s;', d.sql_name)
            ELSE pg_catalog.format('ANALYZE %s;', d.sql_name) END AS maintenance_sql
  FROM due AS d
 WHERE d.freeze_due OR d.vacuum_due OR d.analyze_due
 ORDER BY d.freeze_due DESC,
          greatest(d.vacuum_due_percent, d.analyze_due_percent) DESC NULLS LAST,
          d.schema_name, d.table_name;

COMMENT ON VIEW monitoring.v_tables_needing_maintenance IS
'Tables over the limits at which autovacuum acts by itself; an empty result is the healthy one. Look
for a vacuum_due_percent that stays well over 100: autovacuum is off (autovacuum_on), has too few
workers, or an old transaction keeps the rows (v_long_running_connections). Just over 100 means it
is about to come. maintenance_sql does it now; neither statement blocks reads or writes.';

GRANT SELECT ON monitoring.v_tables_needing_maintenance TO pg_monitor;
