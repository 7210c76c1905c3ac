-- what: puts the triggers on the shadow that it needs once it is in use, so that the swap need not
--       make one for each partition: those of the table, disabled until then, and those that log
--       for the way back, which leave out what a replay writes
-- servers: 14..
CREATE OR REPLACE FUNCTION pgdeck.conversion_make_triggers(conversion_id integer)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
  c pgdeck.conversion;
  source_name text;
  shadow_name text;
  trigger record;
BEGIN
  SELECT * INTO STRICT c FROM pgdeck.conversion WHERE id = conversion_id;
  source_name := format('%I.%I', c.schema_name, c.table_name);
  shadow_name := format('%I.%I', c.schema_name, c.shadow_name);
  FOR trigger IN
    SELECT g.tgname, obj_description(g.oid, 'pg_trigger') AS comment, d.definition,
           strpos(d.definition, format(' ON %s ', source_name)) AS place
      FROM pg_trigger g CROSS JOIN LATERAL pg_get_triggerdef(g.oid) AS d(definition)
     WHERE g.tgrelid = c.source AND NOT g.tgisinternal AND g.tgname NOT LIKE 'zz\_pgdeck\_log%'
  LOOP
    EXECUTE overlay(trigger.definition PLACING format(' ON %s ', shadow_name) FROM trigger.place
                    FOR length(source_name) + 5);
    EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', shadow_name, trigger.tgname);
    EXECUTE format('COMMENT ON TRIGGER %I ON %s IS %L', trigger.tgname, shadow_name, trigger.comment);
  END LOOP;
  EXECUTE format('CREATE TRIGGER zz_pgdeck_log AFTER INSERT OR UPDATE OR DELETE ON %s '
                 'FOR EACH ROW EXECUTE FUNCTION pgdeck.log_%s()', shadow_name, c.id);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER zz_pgdeck_log', shadow_name);
  EXECUTE format('CREATE TRIGGER zz_pgdeck_log_truncate BEFORE TRUNCATE ON %s '
                 'EXECUTE FUNCTION pgdeck.log_%s()', shadow_name, c.id);
END
$function$
