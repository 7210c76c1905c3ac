-- what: removes what a conversion made beside the table in use: first the triggers, then the table
--       that is not in use, then the log
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
  lock_wait_ms integer := greatest(1, extract(epoch FROM current_setting('lock_timeout')::interval) * 1000);
BEGIN
  SELECT * INTO STRICT c FROM pgdeck.conversion WHERE id = conversion_id FOR UPDATE;
  used := CASE WHEN c.step IN ('swapped', 'finished') THEN c.shadow ELSE c.source END;
  spare := CASE WHEN c.step IN ('swapped', 'finished') THEN c.source ELSE c.shadow END;
  PERFORM pgdeck.conversion_lock(ARRAY(SELECT r FROM unnest(ARRAY[spare, used]) WITH ORDINALITY AS l(r, place)
                                        WHERE r = spare OR EXISTS (
                                          SELECT FROM pg_trigger WHERE tgrelid = used
                                                                   AND tgname LIKE 'zz\_pgdeck\_log%')
                                        ORDER BY place),
                                 NULL, lock_wait_ms, 80);
  IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = used AND tgname LIKE 'zz\_pgdeck\_log%') THEN
    FOR trigger IN SELECT g.tgname, g.tgrelid::regclass AS relation FROM pg_trigger g
                    WHERE g.tgname LIKE 'zz\_pgdeck\_log%' AND g.tgparentid = 0
                      AND g.tgrelid IN (SELECT used UNION SELECT relid FROM pg_partition_tree(used)) LOOP
      EXECUTE format('DROP TRIGGER %I ON %s', trigger.tgname, trigger.relation);
    END LOOP;
  END IF;
  IF EXISTS (SELECT FROM pg_class WHERE oid = spare AND relname IN (c.shadow_name, c.retired_name)) THEN
    EXECUTE format('DROP TABLE %s', spare::regclass);
  END IF;
  EXECUTE format('DROP FUNCTION IF EXISTS pgdeck.log_%s()', c.id);
  EXECUTE format('DROP TABLE IF EXISTS pgdeck.log_%s', c.id);
  UPDATE pgdeck.conversion
     SET step = CASE WHEN c.step IN ('swapped', 'finished') THEN 'removed' ELSE 'rolled back' END
   WHERE id = c.id;
END
$function$
