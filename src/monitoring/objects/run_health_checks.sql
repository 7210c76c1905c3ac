-- what: runs every function monitoring.health_*() and gathers what they find
-- object: function monitoring.run_health_checks()
-- servers: 14..18
-- A new check is one more file health_NAME.sql. A check that fails or meets a lock loses only its
-- own rows. Only functions of this function's own owner are run.
CREATE OR REPLACE FUNCTION monitoring.run_health_checks()
RETURNS TABLE (severity text, check_name text, finding text, evidence text, confidence text,
               fix_sql text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '50ms'
SET timezone = 'UTC'
SET datestyle = 'ISO'
SET jit = off
AS $function$
DECLARE
    one record;
    found_rows bigint;
BEGIN
    FOR one IN
        SELECT p.proname, replace(substr(p.proname, 8), '_', ' ') AS name
          FROM pg_proc AS p
         WHERE p.pronamespace = 'monitoring'::regnamespace
           AND p.proname LIKE 'health\_%' AND p.pronargs = 0
           AND p.proowner = (SELECT me.proowner FROM pg_proc AS me
                              WHERE me.oid = 'monitoring.run_health_checks()'::regprocedure)
         ORDER BY p.proname
    LOOP
        BEGIN
            RETURN QUERY EXECUTE format(
                'SELECT h.severity, %L::text, h.finding, h.evidence, h.confidence, h.fix_sql
                   FROM monitoring.%I() AS h', one.name, one.proname);
            GET DIAGNOSTICS found_rows = ROW_COUNT;
            IF found_rows = 0 THEN
                severity := 'ok';
                check_name := one.name;
                finding := 'nothing found';
                evidence := NULL;
                confidence := NULL;
                fix_sql := NULL;
                RETURN NEXT;
            END IF;
        EXCEPTION WHEN OTHERS THEN
            severity := 'unknown';
            check_name := one.name;
            finding := CASE WHEN sqlstate = '55P03'
                            THEN 'not measurable now: another session holds or waits for a lock'
                            ELSE 'this check failed' END;
            evidence := format('%s (SQLSTATE %s)', sqlerrm, sqlstate);
            confidence := 'not measured';
            fix_sql := NULL;
            RETURN NEXT;
        END;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION monitoring.run_health_checks() IS
'All checks monitoring.health_*(), unsorted; call check_database_health() instead.';

GRANT EXECUTE ON FUNCTION monitoring.run_health_checks() TO pg_monitor;
