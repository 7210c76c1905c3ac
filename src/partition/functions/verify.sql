-- what: brings the shadow up to the snapshot of this transaction (REPEATABLE READ) and compares it
--       with the table: rows and a sum of hashes, which does not depend on their order
-- servers: 14..
CREATE OR REPLACE FUNCTION pgdeck.conversion_verify(conversion_id integer)
RETURNS TABLE (source_rows bigint, source_sum numeric, shadow_rows bigint, shadow_sum numeric)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET extra_float_digits = 1
AS $function$
DECLARE
  c pgdeck.conversion;
BEGIN
  SELECT * INTO STRICT c FROM pgdeck.conversion WHERE id = conversion_id;
  PERFORM pgdeck.conversion_replay(conversion_id, NULL, false);
  EXECUTE format('SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM %s t',
                 c.source::regclass) INTO source_rows, source_sum;
  EXECUTE format('SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM %s t',
                 c.shadow::regclass) INTO shadow_rows, shadow_sum;
  RETURN NEXT;
END
$function$
