-- what: tables that were partitions and that pgdeck was about to remove
-- servers: 14..
-- returns: schema, name, note
SELECT n.nspname AS schema, c.relname AS name, d.description AS note
  FROM pg_description d
  JOIN pg_class c ON c.oid = d.objoid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE d.classoid = 'pg_class'::regclass AND d.objsubid = 0
   AND starts_with(d.description, 'pgdeck removes it: ') AND c.relkind IN ('r', 'p')
   AND NOT c.relispartition
