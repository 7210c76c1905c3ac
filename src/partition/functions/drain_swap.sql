-- what: lets the partitions that were filled take the place of a default partition, in the caller's
--       transaction (READ COMMITTED). Returns when the strong lock was granted; null: the log is
--       longer than `most`, nothing was done. Errors: 55P03 when a lock is not granted in time
-- servers: 14..
CREATE OR REPLACE FUNCTION pgdeck.conversion_drain_swap(conversion_id integer, lock_wait_ms integer,
                                                        attempt_ms integer, most bigint)
RETURNS timestamptz
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $function$
DECLARE
  c pgdeck.conversion;
  parent oid;
  locked timestamptz;
  is_long boolean;
  described text[];
  statements text[];
  statement text;
BEGIN
  SELECT * INTO STRICT c FROM pgdeck.conversion WHERE id = conversion_id FOR UPDATE;
  SELECT p.partrelid INTO parent FROM pg_partitioned_table p WHERE p.partdefid = c.source;
  IF parent IS NULL THEN
    RAISE '% is no default partition any more', c.source::regclass
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'pgdeck partition gc removes what was made.';
  END IF;
  PERFORM set_config('synchronous_commit', 'off', true);
  PERFORM pgdeck.conversion_describe(c.source, c.partition_names);
  WITH t AS (
    SELECT parent::regclass AS parent, c.source::regclass AS source, c.shadow::regclass AS shadow,
           format('%I.%I', c.schema_name, c.table_name) AS full_name
  ), leaf AS (
    SELECT h.inhrelid::regclass AS leaf, pg_get_expr(p.relpartbound, 0) AS bound
      FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhrelid WHERE h.inhparent = c.shadow
  ), s(place, rank, statement) AS (
    SELECT 1, g.oid::text, format('DROP TRIGGER %I ON %s', g.tgname, g.tgrelid::regclass)
      FROM pg_trigger g
     WHERE g.tgrelid IN (c.source, c.shadow) AND g.tgname LIKE 'zz\_pgdeck\_log%' AND g.tgparentid = 0
     UNION ALL
    SELECT 2, '', format('ALTER TABLE %s DETACH PARTITION %s', t.parent, t.source) FROM t
     UNION ALL
    SELECT 3, '', format('ALTER TABLE %s RENAME TO %I', t.source, c.retired_name) FROM t
     UNION ALL
    SELECT 4, leaf::text || ' 1', format('ALTER TABLE %s DETACH PARTITION %s', t.shadow, leaf) FROM t, leaf
     UNION ALL
    SELECT 4, leaf::text || ' 2', format('ALTER TABLE %s ATTACH PARTITION %s %s', t.parent, leaf, bound)
      FROM t, leaf WHERE bound <> 'DEFAULT'
     UNION ALL
    SELECT 4, leaf::text || ' 3', format('ALTER TABLE %s DROP CONSTRAINT pgdeck_bound', leaf)
      FROM leaf WHERE bound <> 'DEFAULT'
     UNION ALL
    SELECT 5, '', format('ALTER TABLE %s RENAME TO %I', leaf, c.table_name) FROM leaf WHERE bound = 'DEFAULT'
     UNION ALL
    SELECT 6, '', format('ALTER TABLE %s ATTACH PARTITION %s DEFAULT', t.parent, t.full_name) FROM t
     UNION ALL
    SELECT 7, '', format('DROP TABLE %s', t.shadow) FROM t
  )
  SELECT array_agg(s.statement ORDER BY s.place, s.rank) INTO statements FROM s;
  PERFORM pgdeck.conversion_lock(ARRAY[c.shadow, parent], NULL, lock_wait_ms, attempt_ms);
  locked := clock_timestamp();
  EXECUTE format('SELECT EXISTS (SELECT FROM pgdeck.log_%s OFFSET %s)', c.id, most) INTO is_long;
  IF is_long THEN
    RETURN NULL;
  END IF;
  PERFORM pgdeck.conversion_replay(c.id, NULL, true);
  described := ARRAY(SELECT d.stage || ' ' || d.line
                       FROM pgdeck.conversion_describe(c.source, c.partition_names) d ORDER BY 1);
  IF described IS DISTINCT FROM c.description THEN
    RAISE 'table % was altered while it was being drained', c.source::regclass
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'pgdeck partition gc removes what was made.';
  END IF;
  FOREACH statement IN ARRAY statements LOOP
    EXECUTE statement;
  END LOOP;
  UPDATE pgdeck.conversion SET step = 'swapped', swapped_at = clock_timestamp() WHERE id = c.id;
  RETURN locked;
END
$function$
