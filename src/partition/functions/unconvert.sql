-- what: takes a conversion back at any point of it, without losing what was written since: rows are
--       brought back to the old table while both are in use, then the two change places. A lock
--       that is not granted in time is error 55P03: call it again
-- servers: 14..
CREATE OR REPLACE PROCEDURE pgdeck.unconvert(of_schema name, of_table name, lock_wait_ms integer,
                                             attempt_ms integer)
LANGUAGE plpgsql
AS $procedure$
DECLARE
  c pgdeck.conversion;
  taken bigint;
  foreign_key record;
  is_swapped boolean := false;
BEGIN
  SELECT v.* INTO c FROM pgdeck.conversion v
   WHERE v.schema_name = of_schema AND v.table_name = of_table
   ORDER BY v.id DESC LIMIT 1;
  IF c.id IS NULL THEN
    RETURN;
  ELSIF c.step = 'removed' THEN
    RAISE 'the table that % was before is removed', of_table USING ERRCODE = 'object_in_use';
  END IF;
  WHILE c.step IN ('swapped', 'finished') AND NOT is_swapped LOOP
    LOOP
      COMMIT;
      SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
      taken := pgdeck.conversion_replay(c.id, 5000, false);
      COMMIT;
      EXIT WHEN taken < 200;
    END LOOP;
    is_swapped := pgdeck.conversion_swap(c.id, lock_wait_ms, attempt_ms, 1000);
    COMMIT;
  END LOOP;
  FOR foreign_key IN SELECT k.conrelid::regclass AS relation, k.conname FROM pg_constraint k
                      WHERE is_swapped AND k.conrelid = c.source AND NOT k.convalidated LOOP
    EXECUTE pg_catalog.format('ALTER TABLE %s VALIDATE CONSTRAINT %I', foreign_key.relation,
                              foreign_key.conname);
    COMMIT;
  END LOOP;
  PERFORM pg_catalog.set_config('lock_timeout', lock_wait_ms || 'ms', true);
  PERFORM pgdeck.conversion_remove(c.id);
  COMMIT;
END
$procedure$
