-- what: a limit of the health checks: the setting pgdeck.NAME, the deck's, or the built-in one
-- object: function monitoring.threshold(name text, otherwise text)
-- servers: 14..18
-- after: monitoring.deck_values
CREATE OR REPLACE FUNCTION monitoring.threshold(name text, otherwise text)
RETURNS text
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
SELECT coalesce(nullif(current_setting('pgdeck.' || name, true), ''),
                (SELECT v.value FROM monitoring.deck_values AS v
                  WHERE v.kind = 'limit' AND v.name = threshold.name),
                otherwise)
$function$;

COMMENT ON FUNCTION monitoring.threshold(name text, otherwise text) IS
'The limit of a health check: the custom setting pgdeck.NAME of this session, role or database
where it is set (ALTER DATABASE d SET pgdeck.connections_warning = ''70''), otherwise what the deck
says under alerts, otherwise the second argument.';

GRANT EXECUTE ON FUNCTION monitoring.threshold(name text, otherwise text) TO pg_monitor;
