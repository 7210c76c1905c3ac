-- what: lets the two tables of a conversion change places, in the caller's transaction (READ
--       COMMITTED): the one in use goes aside, the other one gets its name and what can only hang on
--       one of them. Symmetric: the second time it brings the first one back. Returns when the
--       strong lock was granted; null: the log is longer than `most`, nothing was done.
--       Errors: 55P03 when a lock is not granted in time
-- servers: 14..
CREATE OR REPLACE FUNCTION pgdeck.conversion_swap(conversion_id integer, lock_wait_ms integer,
                                                  attempt_ms integer, most bigint)
RETURNS timestamptz
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
  c pgdeck.conversion;
  is_back boolean;
  here oid;   -- has the name now
  there oid;  -- gets it
  locked timestamptz;
  sequences text[];
  is_long boolean;
  aside name;
  full_name text;
  described text[];
  carried text[];
  difference text;
  statements text[];
  statement text;
BEGIN
  SELECT * INTO STRICT c FROM pgdeck.conversion WHERE id = conversion_id FOR UPDATE;
  is_back := c.step IN ('swapped', 'finished');
  here := CASE WHEN is_back THEN c.shadow ELSE c.source END;
  there := CASE WHEN is_back THEN c.source ELSE c.shadow END;
  aside := CASE WHEN is_back THEN c.shadow_name ELSE c.retired_name END;
  full_name := format('%I.%I', c.schema_name, c.table_name);
  -- whoever waits need not wait for the disk: what commits later brings this there first
  PERFORM set_config('synchronous_commit', 'off', true);
  -- a sequence that goes with its column must not be asked for numbers meanwhile
  sequences := ARRAY(
    SELECT format('ALTER SEQUENCE %s INCREMENT BY %s', q.seqrelid::regclass, q.seqincrement)
      FROM pg_depend d JOIN pg_sequence q ON q.seqrelid = d.objid
     WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = here AND d.deptype = 'i'
       AND d.classid = 'pg_class'::regclass);
  PERFORM pgdeck.conversion_lock(
    ARRAY[there] || ARRAY(SELECT r.ev_class FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
                           WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = here
                             AND d.classid = 'pg_rewrite'::regclass AND r.ev_class <> here
                           GROUP BY r.ev_class ORDER BY r.ev_class)
      || ARRAY(SELECT confrelid FROM pg_constraint WHERE conrelid = here AND contype = 'f'
                AND confrelid <> here GROUP BY confrelid ORDER BY confrelid) || here,
    here, lock_wait_ms, attempt_ms);
  locked := clock_timestamp();
  FOREACH statement IN ARRAY sequences LOOP
    EXECUTE statement;
  END LOOP;
  EXECUTE format('SELECT EXISTS (SELECT FROM pgdeck.log_%s OFFSET %s)', c.id, most) INTO is_long;
  IF is_long THEN
    RETURN NULL;
  END IF;
  PERFORM pgdeck.conversion_replay(c.id, NULL, true);

  described := ARRAY(SELECT d.stage || ' ' || d.line
                       FROM pgdeck.conversion_describe(here, c.partition_names) d ORDER BY 1);
  IF NOT is_back AND described IS DISTINCT FROM c.description THEN
    RAISE 'table % was altered while it was being converted', full_name
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'pgdeck rollback (or partition gc) removes what was made; then apply again.';
  END IF;
  statements := pgdeck.conversion_swap_statements(here, there, full_name, aside, is_back,
                                                  c.foreign_keys);
  IF NOT is_back THEN
    UPDATE pgdeck.conversion SET foreign_keys = (
      SELECT coalesce(jsonb_agg(jsonb_build_object('name', k.conname, 'comment',
                        obj_description(k.oid, 'pg_constraint'), 'definition',
                        regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''))
                        ORDER BY k.conname), '[]')
        FROM pg_constraint k WHERE k.conrelid = here AND k.contype = 'f') WHERE id = c.id;
  END IF;
  FOREACH statement IN ARRAY statements LOOP
    EXECUTE statement;
  END LOOP;

  carried := ARRAY(SELECT d.stage || ' ' || d.line
                     FROM pgdeck.conversion_describe(there, c.partition_names) d);
  SELECT string_agg(substr(line, 6), '; ') INTO difference
    FROM ((SELECT l FROM unnest(described) l WHERE l LIKE 'swap %'
           EXCEPT ALL SELECT l FROM unnest(carried) l)
           UNION ALL
          (SELECT l FROM unnest(carried) l WHERE l LIKE 'swap %'
           EXCEPT ALL SELECT l FROM unnest(described) l)) AS different(line);
  IF difference <> '' THEN
    RAISE 'not all that hangs on table % came along', full_name USING DETAIL = difference;
  END IF;
  UPDATE pgdeck.conversion
     SET step = CASE WHEN is_back THEN 'rolled back' ELSE 'swapped' END,
         swapped_at = clock_timestamp()
   WHERE id = c.id;
  RETURN locked;
END
$function$
