-- what: locks what a swap needs, the table in use last; waits for each lock lock_wait_ms at most and
--       for all of them attempt_ms. Error 55P03: not granted in time. What the transaction locks
--       after that it waits for only a moment. Views are not locked with LOCK TABLE, as that locks
--       all that they read
-- servers: 14..
CREATE OR REPLACE FUNCTION pgdeck.conversion_lock(relations oid[], in_use oid, lock_wait_ms integer,
                                                  attempt_ms integer)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
  begun timestamptz := clock_timestamp();
  wanted record;
BEGIN
  PERFORM pgdeck.conversion_hurry();
  FOR wanted IN
    SELECT c.oid::regclass AS name, c.relkind, pg_get_userbyid(c.relowner) AS owner,
           CASE WHEN EXISTS (SELECT FROM pg_constraint k
                              WHERE k.conrelid = in_use AND k.contype = 'f' AND k.confrelid = c.oid)
                THEN 'SHARE ROW EXCLUSIVE' ELSE 'ACCESS EXCLUSIVE' END AS mode
      FROM unnest(relations) WITH ORDINALITY AS r(oid, place) JOIN pg_class c ON c.oid = r.oid
     ORDER BY r.place
  LOOP
    PERFORM set_config('lock_timeout', greatest(1, least(lock_wait_ms, attempt_ms
      - ceil(extract(epoch FROM clock_timestamp() - begun) * 1000)))::int || 'ms', true);
    IF wanted.relkind = 'v' THEN
      EXECUTE format('ALTER VIEW %s OWNER TO %I', wanted.name, wanted.owner);
    ELSE
      EXECUTE format('LOCK TABLE %s IN %s MODE', wanted.name, wanted.mode);
    END IF;
  END LOOP;
  PERFORM set_config('lock_timeout', '10ms', true);
END
$function$
