-- what: since when the statement counters count, and how many statements they lost for want of room
-- object: function monitoring.statements_info()
-- servers: 14..18
CREATE OR REPLACE FUNCTION monitoring.statements_info()
RETURNS TABLE (counted_since timestamp with time zone, evicted bigint)
LANGUAGE plpgsql
STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    place text;
BEGIN
    SELECT n.nspname INTO place
      FROM pg_extension AS e
      JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
                         AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
      JOIN pg_proc AS p ON p.oid = d.objid AND p.proname = 'pg_stat_statements_info'
      JOIN pg_namespace AS n ON n.oid = p.pronamespace
     WHERE e.extname = 'pg_stat_statements';
    IF place IS NOT NULL AND current_setting('pg_stat_statements.max', true) IS NOT NULL THEN
        RETURN QUERY EXECUTE format(
            'SELECT i.stats_reset, i.dealloc FROM %I.pg_stat_statements_info() AS i', place);
    END IF;
END
$function$;

COMMENT ON FUNCTION monitoring.statements_info() IS
'Since when pg_stat_statements counts, and how many times it threw out statements for want of room
(pg_stat_statements.max); no row where it is not there.';

GRANT EXECUTE ON FUNCTION monitoring.statements_info() TO pg_monitor;
