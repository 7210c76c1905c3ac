-- what: removes what a conversion made beside the table in use: first the triggers, then the log, then
--       the table that is not in use
-- servers: 14..
CREATE OR REPLACE FUNCTION pgdeck.conversion_remove(conversion_id integer)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
  c pgdeck.conversion;
  used oid;
  spare oid;
  trigger record;
BEGIN
  SELECT * INTO STRICT c FROM pgdeck.conversion WHERE id = conversion_id FOR UPDATE;
  used := CASE WHEN c.step IN ('swapped', 'finished') THEN c.shadow ELSE c.source END;
  spare := CASE WHEN c.step IN ('swapped', 'finished') THEN c.source ELSE c.shadow END;
  IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = used AND tgname LIKE 'zz\_pgdeck\_log%') THEN
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', used::regclass);
    FOR trigger IN SELECT g.tgname, g.tgrelid::regclass AS relation FROM pg_trigger g
                    WHERE g.tgname LIKE 'zz\_pgdeck\_log%' AND g.tgparentid = 0
                      AND g.tgrelid IN (SELECT used UNION SELECT relid FROM pg_partition_tree(used)) LOOP
      EXECUTE format('DROP TRIGGER %I ON %s', trigger.tgname, trigger.relation);
    END LOOP;
  END IF;
  EXECUTE format('DROP FUNCTION IF EXISTS pgdeck.log_%s()', c.id);
  EXECUTE format('DROP TABLE IF EXISTS pgdeck.log_%s', c.id);
  IF EXISTS (SELECT FROM pg_class WHERE oid = spare AND relname IN (c.shadow_name, c.retired_name)) THEN
    EXECUTE format('DROP TABLE %s', spare::regclass);
  END IF;
  UPDATE pgdeck.conversion
     SET step = CASE WHEN c.step IN ('swapped', 'finished') THEN 'removed' ELSE 'rolled back' END
   WHERE id = c.id;
END
$function$
