-- what: whether slow queries can be seen at all
-- object: function monitoring.health_statements()
-- servers: 14..18
-- after: monitoring.statements()
CREATE OR REPLACE FUNCTION monitoring.health_statements()
RETURNS TABLE (severity text, finding text, evidence text, confidence text, fix_sql text)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
SELECT 'info', 'slow queries cannot be seen', s.problem, 'measured',
       substring(s.problem FROM '\(((CREATE|ALTER) [^)]*)\)') || ';'
  FROM monitoring.statements() AS s
 WHERE s.problem IS NOT NULL
$function$;

COMMENT ON FUNCTION monitoring.health_statements() IS
'Says so when pg_stat_statements is not there to be read.';

GRANT EXECUTE ON FUNCTION monitoring.health_statements() TO pg_monitor;
