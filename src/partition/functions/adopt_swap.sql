-- what: puts a table in use under the new partitioned one, which takes its name, in the caller's
--       transaction. No row is read: a CHECK says what the rows are. Error 55P03: a lock is not
--       granted in time
-- servers: 14..
CREATE OR REPLACE FUNCTION pgdeck.adoption_swap(adoption_id integer, lock_wait_ms integer, attempt_ms integer)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
  a pgdeck.adoption;
  locked timestamptz;
  full_name text;
  history text;
  statement text;
  statements text[];
  described text[];
  difference text;
BEGIN
  SELECT * INTO STRICT a FROM pgdeck.adoption WHERE id = adoption_id FOR UPDATE;
  full_name := format('%I.%I', a.schema_name, a.table_name);
  history := format('%I.%I', a.schema_name, a.history_name);
  SELECT string_agg(substr(line, 8), '; ') INTO difference
    FROM ((SELECT d.line FROM pgdeck.conversion_describe(a.source, ARRAY[a.column_name]) d
            WHERE d.stage = 'shadow' EXCEPT ALL
           SELECT d.line FROM pgdeck.conversion_describe(a.shadow, ARRAY[a.column_name]) d
            WHERE d.stage = 'shadow')) AS missing(line);
  IF difference <> '' THEN
    RAISE 'not all that hangs on table % is there at the new one', full_name USING DETAIL = difference;
  END IF;
  PERFORM set_config('synchronous_commit', 'off', true);
  -- plans are made before anybody has to wait for them
  PERFORM pgdeck.conversion_swap_statements(a.source, a.shadow, full_name, a.history_name, false, '[]');
  PERFORM pgdeck.conversion_lock(
    ARRAY[a.shadow] || ARRAY(SELECT r.ev_class FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
                              WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = a.source
                                AND d.classid = 'pg_rewrite'::regclass AND r.ev_class <> a.source
                              GROUP BY r.ev_class ORDER BY r.ev_class)
      || ARRAY(SELECT confrelid FROM pg_constraint WHERE conrelid = a.source AND contype = 'f'
                AND confrelid <> a.source GROUP BY confrelid ORDER BY confrelid) || a.source,
    a.source, lock_wait_ms, attempt_ms);
  locked := clock_timestamp();
  FOR statement IN -- no number is given out meanwhile
    SELECT format('ALTER SEQUENCE %s INCREMENT BY %s', q.seqrelid::regclass, q.seqincrement)
      FROM pg_depend d JOIN pg_sequence q ON q.seqrelid = d.objid
     WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = a.source AND d.deptype = 'i'
       AND d.classid = 'pg_class'::regclass
  LOOP
    EXECUTE statement;
  END LOOP;
  described := ARRAY(SELECT d.stage || ' ' || d.line
                       FROM pgdeck.conversion_describe(a.source, ARRAY[a.column_name]) d ORDER BY 1);
  IF described IS DISTINCT FROM a.description THEN
    RAISE 'table % was altered while it was being converted', full_name
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'pgdeck rollback removes what was made; then apply again.';
  END IF;
  -- its foreign keys stay with its rows: the partitioned table has the same ones
  statements := ARRAY(
    SELECT s FROM unnest(pgdeck.conversion_swap_statements(a.source, a.shadow, full_name, a.history_name,
                                                           false, '[]')) AS u(s)
     WHERE s !~ '^ALTER TABLE .* DROP CONSTRAINT ' AND s !~ '^ALTER TABLE .* NOT VALID$'
       AND s !~ 'zz_pgdeck_log')
    || ARRAY(SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', history, 'pgdeck_' || o.indexrelid)
               FROM pgdeck.adoption_keys(a.source, a.column_name) k
               JOIN pg_class c ON c.relname = 'pgdeck_' || k.key_index
               JOIN pg_index o ON o.indexrelid = c.oid AND o.indrelid = a.shadow)
    || ARRAY(SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s USING INDEX %2$I', history, k.wide,
                           CASE WHEN k.is_primary THEN 'PRIMARY KEY' ELSE 'UNIQUE' END)
               FROM pgdeck.adoption_keys(a.source, a.column_name) k)
    || format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (MINVALUE) TO (%L)', full_name, history,
              a.until)
    || format('ALTER TABLE %s DROP CONSTRAINT pgdeck_until', history);
  FOREACH statement IN ARRAY statements LOOP
    EXECUTE statement;
  END LOOP;
  PERFORM pgdeck.adoption_rename(a.source, 'pgdeck_', 'pgdeck_history_');
  SELECT string_agg(substr(line, 6), '; ') INTO difference
    FROM (SELECT l FROM unnest(described) l WHERE l LIKE 'swap %'
           EXCEPT ALL
          SELECT d.stage || ' ' || d.line
            FROM pgdeck.conversion_describe(a.shadow, ARRAY[a.column_name]) d) AS missing(line);
  IF difference <> '' THEN
    RAISE 'not all that hangs on table % came along', full_name USING DETAIL = difference;
  END IF;
  UPDATE pgdeck.adoption
     SET step = 'swapped', swapped_at = clock_timestamp(),
         held_ms = round(extract(epoch FROM clock_timestamp() - locked)::numeric * 1000, 1)
   WHERE id = a.id;
END
$function$
