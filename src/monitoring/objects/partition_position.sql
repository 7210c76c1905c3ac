-- what: where a bound of a range partition lies: days since 1970-01-01, or the id itself
-- object: function monitoring.partition_position(bound text)
-- servers: 14..18
CREATE OR REPLACE FUNCTION monitoring.partition_position(bound text)
RETURNS numeric
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $function$
SELECT CASE WHEN bound = 'MINVALUE' THEN numeric '-Infinity'
            WHEN bound = 'MAXVALUE' THEN numeric 'Infinity'
            WHEN bound ~ '^''?-?[0-9]+''?$' THEN CAST(trim(bound, '''') AS numeric)
            WHEN bound ~ '^''[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-'
            THEN CAST(CAST(CAST('x' || substring(bound FROM 2 FOR 8)
                                || substring(bound FROM 11 FOR 4)
                                AS bit(48)) AS bigint) AS numeric) / 86400000
            WHEN bound ~ '^''[0-9]{4,}-[0-9]{2}-[0-9]{2}'
            THEN extract(epoch FROM CAST(trim(bound, '''') AS timestamptz))::numeric / 86400 END
$function$;

COMMENT ON FUNCTION monitoring.partition_position(bound text) IS
'A bound as pg_get_expr() shows it, as a number that compares: days since 1970-01-01 of dates,
moments and uuids of version 7; of integers the number itself; NULL: of another type.';

GRANT EXECUTE ON FUNCTION monitoring.partition_position(bound text) TO pg_monitor;
