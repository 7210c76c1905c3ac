-- what: a rollup as it is: its columns, functions and triggers, as one hash; null: it is not there
-- servers: 14..
-- variables: name, function (schema.name of what reads it)
SELECT md5(concat(
       (SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod)), ',' ORDER BY attnum)
          FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
       (SELECT string_agg(concat_ws(' ', proname, prosrc, prosecdef, proconfig), ',' ORDER BY proname)
          FROM pg_proc
         WHERE pronamespace = c.relnamespace AND proname IN (c.relname || '_mark', c.relname || '_refresh')
            OR oid = to_regprocedure(:'function' || '(timestamptz, timestamptz)')),
       (SELECT string_agg(concat_ws(' ', g.tgrelid::regclass, g.tgname, g.tgtype, g.tgenabled), ','
                          ORDER BY g.tgname)
          FROM pg_trigger AS g
          JOIN pg_proc AS p ON p.oid = g.tgfoid
         WHERE g.tgparentid = 0 AND p.pronamespace = c.relnamespace AND p.proname = c.relname || '_mark'))) AS observed
  FROM pg_class AS c
 WHERE c.oid = to_regclass('rollups.' || quote_ident(:'name'))
