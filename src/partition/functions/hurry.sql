-- what: autovacuum makes way for whoever has waited for deadlock_timeout, which is longer than pgdeck
--       ever waits; for this transaction it is shorter, where this role may say so
-- servers: 14..
CREATE OR REPLACE FUNCTION pgdeck.conversion_hurry()
RETURNS void
LANGUAGE plpgsql
AS $function$
BEGIN
  PERFORM pg_catalog.set_config('deadlock_timeout', '10ms', true);
EXCEPTION WHEN insufficient_privilege THEN
  NULL;
END
$function$
