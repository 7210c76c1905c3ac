-- what: copies the next rows of the table in the order of its key, and remembers how far it came, in
--       the same transaction; returns how many. Rows behind `high` come from the log alone
-- servers: 14..
CREATE OR REPLACE FUNCTION pgdeck.conversion_copy(conversion_id integer, most bigint)
RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET enable_seqscan = off
SET jit = off
SET synchronous_commit = off
AS $function$
DECLARE
  c pgdeck.conversion;
  columns text;
  keys text;
  texts text;
  low text;
  high text;
  next_key text[];
  done bigint;
BEGIN
  SELECT * INTO STRICT c FROM pgdeck.conversion WHERE id = conversion_id FOR UPDATE;
  IF c.step <> 'copying' THEN
    RETURN 0;
  END IF;
  SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO columns
    FROM pg_attribute a
   WHERE a.attrelid = c.source AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
  SELECT string_agg(quote_ident(name), ', '), string_agg(format('%I::text', name), ', ')
    INTO keys, texts FROM unnest(c.key_names) AS k(name);
  SELECT string_agg(format('%L::%s', c.reached[place], type), ', '),
         string_agg(format('%L::%s', c.high[place], type), ', ')
    INTO low, high FROM unnest(c.key_types) WITH ORDINALITY AS k(type, place);
  low := CASE WHEN c.reached IS NULL THEN 'true' ELSE format('(%s) > (%s)', keys, low) END;
  EXECUTE format('SELECT ARRAY[%s] FROM %s WHERE %s AND (%s) <= (%s) ORDER BY %s OFFSET %s LIMIT 1',
                 texts, c.source::regclass, low, keys, high, keys, most - 1) INTO next_key;
  IF next_key IS NOT NULL THEN
    SELECT string_agg(format('%L::%s', next_key[place], type), ', ')
      INTO high FROM unnest(c.key_types) WITH ORDINALITY AS k(type, place);
  END IF;
  EXECUTE format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM %s '
                 'WHERE %s AND (%s) <= (%s)', c.shadow::regclass, columns, c.source::regclass, low,
                 keys, high);
  GET DIAGNOSTICS done = ROW_COUNT;
  UPDATE pgdeck.conversion v
     SET reached = coalesce(next_key, v.high), copied = v.copied + done,
         step = CASE WHEN next_key IS NULL THEN 'indexing' ELSE v.step END
   WHERE v.id = c.id;
  RETURN done;
END
$function$
