-- what: gives indexes and statistics objects of a table that are named after the oid of their counterpart
--       another beginning of their names, so that a later conversion may have that one
-- servers: 14..
CREATE OR REPLACE FUNCTION pgdeck.adoption_rename(relation oid, old text, new text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
  object record;
BEGIN
  FOR object IN
    SELECT 'INDEX' AS kind, n.nspname, c.relname AS name
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE i.indrelid = relation AND c.relname ~ ('^' || old || '[0-9]+$')
     UNION ALL
    SELECT 'STATISTICS', n.nspname, s.stxname
      FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
     WHERE s.stxrelid = relation AND s.stxname ~ ('^' || old || '[0-9]+$')
  LOOP
    EXECUTE format('ALTER %s %I.%I RENAME TO %I', object.kind, object.nspname, object.name,
                   new || substr(object.name, length(old) + 1));
  END LOOP;
END
$function$
