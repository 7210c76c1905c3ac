-- what: tables whose dead rows autovacuum does not clear
-- object: function monitoring.health_dead_rows()
-- servers: 14..18
-- after: monitoring.src_tables, monitoring.threshold(name text, otherwise text)
-- Twice the number at which autovacuum starts, and at least 10000: below it simply has not come
-- round yet.
CREATE OR REPLACE FUNCTION monitoring.health_dead_rows()
RETURNS TABLE (severity text, finding text, evidence text, confidence text, fix_sql text)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
SELECT 'warning',
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
   AND s.n_dead_tup >= monitoring.threshold('dead_rows', '10000')::bigint
   AND NOT EXISTS (SELECT FROM pg_stat_progress_vacuum AS v
                    WHERE v.datid = (SELECT d.oid FROM pg_database AS d
                                      WHERE d.datname = current_database())
                      AND v.relid = t.relid)
 ORDER BY s.n_dead_tup DESC
 LIMIT 20
$function$;

COMMENT ON FUNCTION monitoring.health_dead_rows() IS
'Tables with twice the dead rows at which autovacuum starts, and at least pgdeck.dead_rows
(10000); the 20 worst. A session that is idle in transaction, or an old prepared transaction,
makes VACUUM useless: end those first.';

GRANT EXECUTE ON FUNCTION monitoring.health_dead_rows() TO pg_monitor;
