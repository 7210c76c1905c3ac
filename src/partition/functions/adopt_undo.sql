-- what: takes an adoption back at any point of it: the table is what it was, with what was written since
--       (rows of newer partitions are moved into it under the lock). A lock that is not granted in
--       time is error 55P03: call it again
-- servers: 14..
CREATE OR REPLACE PROCEDURE pgdeck.unadopt(of_schema name, of_table name, lock_wait_ms integer)
LANGUAGE plpgsql
AS $procedure$
DECLARE
  a pgdeck.adoption;
  full_name text;
  history text;
  key record;
  statement text;
  columns text;
BEGIN
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  SELECT v.* INTO a FROM pgdeck.adoption v
   WHERE v.schema_name = of_schema AND v.table_name = of_table ORDER BY v.id DESC LIMIT 1;
  IF a.id IS NULL OR a.step = 'rolled back' THEN
    RETURN;
  ELSIF a.step = 'removed' THEN
    RAISE 'the old keys of % are removed', of_table USING ERRCODE = 'object_in_use';
  END IF;
  full_name := format('%I.%I', of_schema, of_table);
  history := format('%I.%I', of_schema, a.history_name);
  PERFORM set_config('lock_timeout', lock_wait_ms || 'ms', true);
  IF a.step IN ('swapped', 'finished') THEN
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', full_name);
    EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', full_name, history);
    PERFORM pgdeck.adoption_rename(a.source, 'pgdeck_history_', 'pgdeck_');
    FOR key IN -- the names of the keys in use, by which the way back finds their counterparts
      SELECT p.conindid, w.conname AS wide, p.contype = 'p' AS is_primary,
             obj_description(p.oid, 'pg_constraint') AS comment,
             replace(w.conname, '_wide_', '_back_') AS back
        FROM pg_constraint w
        JOIN pg_constraint p ON p.conrelid = a.shadow AND p.contype = w.contype
       WHERE w.conrelid = a.source AND w.conname LIKE 'pgdeck\_wide\_%'
         AND substring(pg_get_constraintdef(p.oid) FROM '\(.*')
             = substring(pg_get_constraintdef(w.oid) FROM '\(.*')
    LOOP
      EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', history, key.wide);
      EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s USING INDEX %I', history,
                     'pgdeck_' || key.conindid,
                     CASE WHEN key.is_primary THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, key.back);
      EXECUTE format('COMMENT ON CONSTRAINT %I ON %s IS %L', 'pgdeck_' || key.conindid, history, key.comment);
    END LOOP;
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns FROM pg_attribute
     WHERE attrelid = a.source AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
    EXECUTE format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM %s', history, columns,
                   full_name);
    FOREACH statement IN ARRAY ARRAY(
      SELECT s FROM unnest(pgdeck.conversion_swap_statements(a.shadow, a.source, full_name, a.shadow_name,
                                                             false, '[]')) AS u(s)
       WHERE s !~ '^ALTER TABLE .* DROP CONSTRAINT ' AND s !~ '^ALTER TABLE .* NOT VALID$'
         AND s !~ 'zz_pgdeck_log')
    LOOP
      EXECUTE statement;
    END LOOP;
  ELSE
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS pgdeck_until', full_name);
    FOR key IN SELECT c.oid::regclass AS name FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
                WHERE i.indrelid = a.source AND c.relname ~ '^pgdeck_(wide|back)_' LOOP
      EXECUTE format('DROP INDEX %s', key.name);
    END LOOP;
  END IF;
  EXECUTE format('DROP TABLE IF EXISTS %I.%I', of_schema, a.shadow_name);
  UPDATE pgdeck.adoption SET step = 'rolled back' WHERE id = a.id;
  COMMIT;
END
$procedure$
