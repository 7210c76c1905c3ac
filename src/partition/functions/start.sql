-- what: remembers how far the copy must go, and what hangs on the table; in the transaction that made
--       the triggers of the log
-- servers: 14..
CREATE OR REPLACE FUNCTION pgdeck.conversion_start(conversion_id integer)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
DECLARE
  c pgdeck.conversion;
  last_key text[];
  leaf oid;
BEGIN
  SELECT * INTO STRICT c FROM pgdeck.conversion WHERE id = conversion_id;
  EXECUTE format('SELECT ARRAY[%s] FROM %s ORDER BY %s LIMIT 1',
                 (SELECT string_agg(format('%I::text', name), ', ') FROM unnest(c.key_names) k(name)),
                 c.source::regclass,
                 (SELECT string_agg(format('%I DESC', name), ', ') FROM unnest(c.key_names) k(name)))
    INTO last_key;
  -- a partition can be truncated by itself
  FOR leaf IN SELECT p.relid FROM pg_partition_tree(c.source) p
               WHERE p.isleaf AND p.relid <> c.source LOOP
    EXECUTE format('CREATE TRIGGER zz_pgdeck_log_truncate BEFORE TRUNCATE ON %s '
                   'EXECUTE FUNCTION pgdeck.log_%s()', leaf::regclass, c.id);
  END LOOP;
  UPDATE pgdeck.conversion v
     SET high = last_key, step = CASE WHEN last_key IS NULL THEN 'indexing' ELSE 'copying' END,
         description = ARRAY(SELECT d.stage || ' ' || d.line
                               FROM pgdeck.conversion_describe(c.source, c.partition_names) d ORDER BY 1)
   WHERE v.id = c.id;
END
$function$
