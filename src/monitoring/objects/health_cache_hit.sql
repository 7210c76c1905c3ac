-- what: a low cache hit ratio over the time that the counters cover
-- object: function monitoring.health_cache_hit()
-- servers: 14..18
-- after: monitoring.v_cache_hit_ratio, monitoring.threshold(name text, otherwise text)
CREATE OR REPLACE FUNCTION monitoring.health_cache_hit()
RETURNS TABLE (severity text, finding text, evidence text, confidence text, fix_sql text)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
SELECT CASE WHEN r.hit_percent IS NULL THEN 'info'
            WHEN r.hit_percent < monitoring.threshold('cache_hit_critical', '80')::numeric
            THEN 'critical'
            WHEN r.hit_percent < monitoring.threshold('cache_hit_warning', '90')::numeric
            THEN 'warning' ELSE 'ok' END,
       CASE WHEN r.hit_percent IS NULL THEN 'cache hit ratio: ' || r.reading
            ELSE format('cache hit ratio %s %% since %s', r.hit_percent,
                        date_trunc('second', r.counted_since)) END,
       format('%s hits, %s reads in %s', r.blocks_hit, r.blocks_read, r.counted_for),
       r.reading,
       CASE WHEN r.hit_percent < monitoring.threshold('cache_hit_warning', '90')::numeric
            THEN 'SELECT * FROM monitoring.v_table_activity '
                 'ORDER BY rows_read_by_seq_scans DESC NULLS LAST LIMIT 10; '
                 '-- a missing index first, then shared_buffers' END
  FROM monitoring.v_cache_hit_ratio AS r
 WHERE r.database_name = current_database()
$function$;

COMMENT ON FUNCTION monitoring.health_cache_hit() IS
'Cache hit ratio of this database below pgdeck.cache_hit_warning (90) or _critical (80) percent,
over the whole counted time.';

GRANT EXECUTE ON FUNCTION monitoring.health_cache_hit() TO pg_monitor;
