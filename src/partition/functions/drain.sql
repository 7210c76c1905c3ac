-- what: the last step of draining as a transaction of its own, which ends here: its locks do not wait for
--       an answer of the caller. Call it outside a transaction
-- servers: 14..
CREATE OR REPLACE PROCEDURE pgdeck.conversion_drain(conversion_id integer, lock_wait_ms integer,
  attempt_ms integer, most bigint, INOUT is_done boolean)
LANGUAGE plpgsql
AS $procedure$
DECLARE
  locked timestamptz;
BEGIN
  COMMIT;
  SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
  PERFORM pgdeck.conversion_replay(conversion_id, most, false);
  COMMIT;
  SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  locked := pgdeck.conversion_drain_swap(conversion_id, lock_wait_ms, attempt_ms, most);
  COMMIT;
  is_done := locked IS NOT NULL;
  UPDATE pgdeck.conversion
     SET held_ms = round(extract(epoch FROM clock_timestamp() - locked)::numeric * 1000, 1)
   WHERE id = conversion_id AND is_done;
  COMMIT;
END
$procedure$
