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
  statement text;
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
    CALL pgdeck.conversion_change_places(c.id, lock_wait_ms, attempt_ms, 1000, is_swapped);
  END LOOP;
  FOREACH statement IN ARRAY ARRAY(SELECT f.statement FROM pgdeck.conversion_finish(c.id) f
                                    WHERE is_swapped) LOOP
    EXECUTE statement;
    COMMIT;
  END LOOP;
  PERFORM pg_catalog.set_config('lock_timeout', lock_wait_ms || 'ms', true);
  PERFORM pgdeck.conversion_remove(c.id);
  COMMIT;
END
$procedure$
