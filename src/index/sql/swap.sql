-- what: gives an index's name, comment and statistics targets to its successor; within a
--       transaction. A target comes along where the column has the same number and text.
-- servers: 14..
-- variables: schema, name, new, old
ALTER INDEX :"schema".:"name" RENAME TO :"old";
ALTER INDEX :"schema".:"new" RENAME TO :"name";
SELECT set_config('pgdeck.schema', :'schema', true), set_config('pgdeck.name', :'name', true),
       set_config('pgdeck.old', :'old', true);
DO $$
DECLARE
  successor regclass := format('%I.%I', current_setting('pgdeck.schema'),
                               current_setting('pgdeck.name'))::regclass;
  replaced regclass := format('%I.%I', current_setting('pgdeck.schema'),
                              current_setting('pgdeck.old'))::regclass;
  command text;
BEGIN
  FOR command IN
    SELECT format('COMMENT ON INDEX %s IS %L', successor, d)
      FROM obj_description(replaced, 'pg_class') AS d WHERE d IS NOT NULL
    UNION ALL
    SELECT format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s', successor, n.attnum,
                  o.attstattarget)
      FROM pg_attribute o JOIN pg_attribute n ON n.attnum = o.attnum AND n.attrelid = successor
     WHERE o.attrelid = replaced AND o.attstattarget >= 0
       AND pg_get_indexdef(replaced, o.attnum, true) = pg_get_indexdef(successor, n.attnum, true)
  LOOP
    EXECUTE command;
  END LOOP;
END $$;
