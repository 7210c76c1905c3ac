-- what: brings rows that the log names from the table in use to the other one; returns how many log
--       entries it took. Idempotent: the rows named are thrown away there, and what is now under
--       their keys is inserted. `most` null: all entries
-- servers: 14..
-- Entries are taken by their order, deletion and copy see one snapshot, and only entries of that
-- snapshot are deleted: what commits later keeps its own entries. The partitioned side is looked up
-- with the partition columns, so that one partition is read: each change logs them as they were and
-- as they are, so the values under which a stale row lies there are always among its entries.
CREATE OR REPLACE FUNCTION pgdeck.conversion_replay(conversion_id integer, most bigint, is_locked boolean)
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
SET synchronous_commit = off
SET plan_cache_mode = force_generic_plan
AS $function$
DECLARE
  c pgdeck.conversion;
  is_back boolean;
  last bigint;
  taken bigint;
  columns text;
  values_now text;
  keys text;
  wide text;
  match_keys text;
  match_wide text;
  plan_name text;
BEGIN
  IF NOT is_locked AND current_setting('transaction_isolation') = 'read committed' THEN
    RAISE 'conversion_replay needs one snapshot: REPEATABLE READ';
  END IF;
  SELECT * INTO STRICT c FROM pgdeck.conversion WHERE id = conversion_id;
  is_back := c.step IN ('swapped', 'finished');
  EXECUTE format('SELECT max(seq), count(*) FROM (SELECT seq FROM pgdeck.log_%s ORDER BY seq LIMIT %s) l',
                 c.id, coalesce(most::text, 'ALL')) INTO last, taken;
  IF taken = 0 THEN
    RETURN 0;
  END IF;
  -- planned once a session: the swap need not, and with many partitions that takes long
  plan_name := format('pgdeck_replay_%s_%s', c.id, is_back);
  IF NOT EXISTS (SELECT FROM pg_prepared_statements WHERE name = plan_name || '_insert') THEN
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
           string_agg('r.' || quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO columns, values_now
      FROM pg_attribute a
     WHERE a.attrelid = c.source AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
    SELECT string_agg('l.k' || place, ', '), string_agg(format('r.%I = l.k%s', name, place), ' AND ')
      INTO keys, match_keys FROM unnest(c.key_names) WITH ORDINALITY AS k(name, place);
    SELECT concat_ws(', ', keys, string_agg('l.p' || place, ', ')),
           concat_ws(' AND ', match_keys, string_agg(format('r.%I = l.p%s', name, place), ' AND '))
      INTO wide, match_wide FROM unnest(c.partition_names) WITH ORDINALITY AS p(name, place);
    EXECUTE format('PREPARE %s_delete (bigint) AS '
                   'DELETE FROM %s r USING (SELECT DISTINCT %s FROM pgdeck.log_%s l WHERE l.seq <= $1) l '
                   'WHERE %s', plan_name, (CASE WHEN is_back THEN c.source ELSE c.shadow END)::regclass,
                   CASE WHEN is_back THEN keys ELSE wide END, c.id,
                   CASE WHEN is_back THEN match_keys ELSE match_wide END);
    EXECUTE format('PREPARE %s_insert (bigint) AS '
                   'INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM '
                   '(SELECT DISTINCT %s FROM pgdeck.log_%s l WHERE l.seq <= $1) l JOIN %s r ON %s',
                   plan_name, (CASE WHEN is_back THEN c.source ELSE c.shadow END)::regclass, columns,
                   values_now, CASE WHEN is_back THEN wide ELSE keys END, c.id,
                   (CASE WHEN is_back THEN c.shadow ELSE c.source END)::regclass,
                   CASE WHEN is_back THEN match_wide ELSE match_keys END);
  END IF;
  PERFORM set_config('pgdeck.replay', 'on', true); -- not by SET above: only superusers may
  EXECUTE format('EXECUTE %s_delete (%s)', plan_name, last);
  EXECUTE format('EXECUTE %s_insert (%s)', plan_name, last);
  PERFORM set_config('pgdeck.replay', 'off', true);
  EXECUTE format('DELETE FROM pgdeck.log_%s WHERE seq <= %s', c.id, last);
  RETURN taken;
END
$function$
