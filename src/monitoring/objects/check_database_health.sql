-- what: every health check, what hurts first at the top
-- object: function monitoring.check_database_health()
-- servers: 14..18
-- after: monitoring.run_health_checks()
CREATE OR REPLACE FUNCTION monitoring.check_database_health()
RETURNS TABLE (severity text, check_name text, finding text, evidence text, confidence text,
               fix_sql text)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
SELECT h.severity, h.check_name, h.finding, h.evidence, h.confidence, h.fix_sql
  FROM monitoring.run_health_checks() AS h
 ORDER BY array_position(ARRAY['critical', 'warning', 'unknown', 'info', 'ok'], h.severity),
          h.rank, h.check_name, h.finding
$function$;

COMMENT ON FUNCTION monitoring.check_database_health() IS
'SELECT * FROM check_database_health(): critical first, then warning, unknown (could not be
measured, the evidence says why), info and ok (one row for each check that found nothing). Read
evidence and confidence before you run fix_sql; it is complete, and mends just that finding.
Nothing waits for a lock over 50 ms.';

GRANT EXECUTE ON FUNCTION monitoring.check_database_health() TO pg_monitor;
