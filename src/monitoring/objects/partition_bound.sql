-- what: a position (days since 1970-01-01, or an id) as a bound of the type that the deck says
-- object: function monitoring.partition_bound(edge numeric, policy jsonb)
-- servers: 14..18
CREATE OR REPLACE FUNCTION monitoring.partition_bound(edge numeric, policy jsonb)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET datestyle = 'ISO'
AS $function$
SELECT CASE WHEN policy->>'unit' = 'id' THEN CAST(trunc(edge) AS text)
            WHEN policy ? 'uuidv7'
            THEN overlay(lpad(to_hex(CAST(edge * 86400000 AS bigint)), 12, '0')
                         PLACING '-' FROM 9 FOR 0) || '-0000-0000-000000000000'
            ELSE CAST(CAST(date '1970-01-01' + CAST(edge AS integer) AS timestamptz) AS text) END
$function$;

COMMENT ON FUNCTION monitoring.partition_bound(edge numeric, policy jsonb) IS
'The text of a partition''s bound: an id, the least uuid of a day, or midnight in UTC.';

GRANT EXECUTE ON FUNCTION monitoring.partition_bound(edge numeric, policy jsonb) TO pg_monitor;
