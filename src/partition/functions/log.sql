-- what: makes the log of a conversion and the function of its triggers: for each change of a row its
--       key and partition columns, as they were and as they are; and, if that took long, how long
-- servers: 14..
CREATE OR REPLACE FUNCTION pgdeck.conversion_make_log(conversion_id integer)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
  c pgdeck.conversion;
  selected text;
  names text;
  values_new text;
  values_old text;
BEGIN
  SELECT * INTO STRICT c FROM pgdeck.conversion WHERE id = conversion_id;
  SELECT string_agg(format('%I AS %s', name, column_name), ', ' ORDER BY column_name),
         string_agg(column_name, ', ' ORDER BY column_name),
         string_agg(format('NEW.%I', name), ', ' ORDER BY column_name),
         string_agg(format('OLD.%I', name), ', ' ORDER BY column_name)
    INTO selected, names, values_new, values_old
    FROM (SELECT name, 'k' || place FROM unnest(c.key_names) WITH ORDINALITY AS k(name, place)
           UNION ALL
          SELECT name, 'p' || place FROM unnest(c.partition_names) WITH ORDINALITY AS p(name, place))
         AS n(name, column_name);
  EXECUTE format('CREATE TABLE IF NOT EXISTS pgdeck.log_%s AS SELECT %s FROM %s WITH NO DATA', c.id,
                 selected, c.source::regclass);
  EXECUTE format('ALTER TABLE pgdeck.log_%s ADD COLUMN seq bigint GENERATED ALWAYS AS IDENTITY '
                 'PRIMARY KEY, ADD COLUMN took_ms real, SET (autovacuum_vacuum_scale_factor = 0, '
                 'autovacuum_vacuum_threshold = 20000)', c.id);
  EXECUTE format($format$
    CREATE OR REPLACE FUNCTION pgdeck.log_%1$s() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    DECLARE
      begun timestamptz := clock_timestamp();
      logged bigint;
    BEGIN
      IF TG_OP = 'TRUNCATE' THEN
        RAISE 'pgdeck makes %5$s a partitioned table: it cannot be truncated now'
          USING ERRCODE = 'object_in_use', HINT = 'DELETE instead, or wait until pgdeck has done it.';
      END IF;
      IF current_setting('pgdeck.replay', true) = 'on' THEN
        RETURN NULL;
      END IF;
      IF TG_OP <> 'INSERT' THEN
        INSERT INTO pgdeck.log_%1$s (%2$s) VALUES (%4$s) RETURNING seq INTO logged;
      END IF;
      IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND ROW(%3$s) IS DISTINCT FROM ROW(%4$s)) THEN
        INSERT INTO pgdeck.log_%1$s (%2$s) VALUES (%3$s) RETURNING seq INTO logged;
      END IF;
      IF clock_timestamp() - begun > interval '1 ms' THEN
        UPDATE pgdeck.log_%1$s SET took_ms = extract(epoch FROM clock_timestamp() - begun) * 1000
         WHERE seq = logged;
      END IF;
      RETURN NULL;
    END
    $body$ $format$, c.id, names, values_new, values_old,
    replace(replace(c.table_name, '''', ''''''), '%', '%%'));
END
$function$
