-- what: tables whose dead rows autovacuum does not clear
-- check: dead rows
-- scope: database
-- rank: 50
-- servers: 14..18
-- Twice the number at which autovacuum starts, and at least 10000: below it simply has not come
-- round yet.
SELECT CASE WHEN s.n_dead_tup >= monitoring.threshold('dead_rows_critical', '100000000')::bigint
            THEN 'critical' ELSE 'warning' END,
       format('%s has about %s dead rows', t.sql_name, s.n_dead_tup),
       format('%s live; autovacuum %s %s; last vacuum %s', s.n_live_tup,
              CASE WHEN t.autovacuum_on THEN 'starts at' ELSE 'is off, would start at' END,
              round(t.vacuum_trigger_rows),
              coalesce(date_trunc('second', greatest(s.last_vacuum, s.last_autovacuum))::text,
                       'never')),
       'estimate: PostgreSQL''s own counter',
       CASE WHEN NOT t.autovacuum_on AND current_setting('autovacuum')::boolean
            THEN format('ALTER TABLE %s RESET (autovacuum_enabled); ', t.sql_name) ELSE '' END
       || format('VACUUM (ANALYZE) %s;', t.sql_name)
  FROM monitoring.src_tables AS t
  JOIN pg_stat_all_tables AS s ON s.relid = t.relid
 WHERE s.n_dead_tup >= 2 * t.vacuum_trigger_rows
   AND s.n_dead_tup >= monitoring.threshold('dead_rows_warning', '10000')::bigint
   AND NOT EXISTS (SELECT FROM pg_stat_progress_vacuum AS v
                    WHERE v.datid = (SELECT d.oid FROM pg_database AS d
                                      WHERE d.datname = current_database())
                      AND v.relid = t.relid)
 ORDER BY s.n_dead_tup DESC
 LIMIT 20;
