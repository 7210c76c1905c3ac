-- what: the swap as a transaction of its own, which ends here: its locks do not wait for an answer
--       of the caller. What needs no lock is done before it: plans are made, and few entries of the
--       log are left. held_ms is taken when the lock is free again. Call it outside a transaction
-- servers: 14..
CREATE OR REPLACE PROCEDURE pgdeck.conversion_change_places(conversion_id integer, lock_wait_ms integer,
  attempt_ms integer, most bigint, INOUT is_done boolean)
LANGUAGE plpgsql
AS $procedure$
DECLARE
  c pgdeck.conversion;
  locked timestamptz;
BEGIN
  COMMIT;
  SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
  SELECT * INTO STRICT c FROM pgdeck.conversion WHERE id = conversion_id;
  PERFORM pgdeck.conversion_describe(c.source, c.partition_names);
  PERFORM pgdeck.conversion_swap_statements(c.source, c.shadow, c.table_name, c.retired_name, false,
                                            c.foreign_keys);
  FOR round IN 1..10 LOOP
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
    EXIT WHEN pgdeck.conversion_replay(c.id, NULL, false) < 20;
  END LOOP;
  COMMIT;
  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  locked := pgdeck.conversion_swap(conversion_id, lock_wait_ms, attempt_ms, most);
  COMMIT;
  is_done := locked IS NOT NULL;
  UPDATE pgdeck.conversion
     SET held_ms = round(extract(epoch FROM clock_timestamp() - locked)::numeric * 1000, 1)
   WHERE id = conversion_id AND is_done;
  COMMIT;
END
$procedure$
