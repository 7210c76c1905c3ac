-- what: gives the partitions that a default is drained to, while they are empty, what spares ATTACH a look
--       at their rows: a CHECK of their bound, and the foreign keys
-- servers: 14..
CREATE OR REPLACE FUNCTION pgdeck.conversion_drain_prepare(conversion_id integer)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $function$
DECLARE
  c pgdeck.conversion;
  statement text;
BEGIN
  SELECT * INTO STRICT c FROM pgdeck.conversion WHERE id = conversion_id;
  FOR statement IN
    SELECT format('ALTER TABLE %s ADD CONSTRAINT pgdeck_bound CHECK (%s)', h.inhrelid::regclass,
                  pg_get_partition_constraintdef(h.inhrelid))
      FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhrelid
     WHERE h.inhparent = c.shadow AND pg_get_expr(p.relpartbound, 0) <> 'DEFAULT'
     UNION ALL
    SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', h.inhrelid::regclass, k.conname,
                  pg_get_constraintdef(k.oid))
      FROM pg_inherits h JOIN pg_constraint k ON k.conrelid = c.source AND k.contype = 'f'
     WHERE h.inhparent = c.shadow
  LOOP
    EXECUTE statement;
  END LOOP;
END
$function$
