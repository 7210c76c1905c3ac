-- what: runs every health check and gathers what they find
-- object: function monitoring.run_health_checks()
-- servers: 14..18
-- after: monitoring.threshold(name text, otherwise text)
-- The checks are src/monitoring/checks, put in where it says so. One that fails or meets a lock
-- loses only its own rows.
CREATE OR REPLACE FUNCTION monitoring.run_health_checks()
RETURNS TABLE (severity text, check_name text, finding text, evidence text, confidence text,
               fix_sql text, rank integer)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '50ms'
SET timezone = 'UTC'
SET datestyle = 'ISO'
SET intervalstyle = 'postgres'
SET jit = off
SET work_mem = '16MB'
AS $function$
DECLARE
    one record;
    found_rows bigint;
BEGIN
    FOR one IN
        SELECT c.name, c.place, c.body
          FROM (VALUES (NULL::text, NULL::integer, NULL::text)/* checks */) AS c (name, place, body)
         WHERE c.name IS NOT NULL
    LOOP
        check_name := one.name;
        rank := one.place;
        BEGIN
            RETURN QUERY EXECUTE format(
                'SELECT h.severity, %L::text, h.finding, h.evidence, h.confidence, h.fix_sql, %s
                   FROM (%s) AS h (severity, finding, evidence, confidence, fix_sql)',
                one.name, one.place, one.body);
            GET DIAGNOSTICS found_rows = ROW_COUNT;
            IF found_rows = 0 THEN
                severity := 'ok';
                finding := 'nothing found';
                evidence := NULL;
                confidence := NULL;
                fix_sql := NULL;
                RETURN NEXT;
            END IF;
        EXCEPTION WHEN OTHERS THEN
            severity := 'unknown';
            finding := CASE WHEN sqlstate = '55P03'
                            THEN 'not measurable now: another session holds or waits for a lock'
                            WHEN sqlstate = '42501' THEN 'not measurable with this role'
                            ELSE 'this check failed' END;
            evidence := format('%s (SQLSTATE %s)', sqlerrm, sqlstate);
            confidence := CASE WHEN sqlstate = '42501' THEN 'not measurable with this role'
                               ELSE 'not measured' END;
            fix_sql := NULL;
            RETURN NEXT;
        END;
    END LOOP;
END
$function$;

COMMENT ON FUNCTION monitoring.run_health_checks() IS
'All health checks, unsorted; call check_database_health() instead.';

GRANT EXECUTE ON FUNCTION monitoring.run_health_checks() TO pg_monitor;
