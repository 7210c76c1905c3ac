-- what: types, functions, views, sequences and triggers outside of system schemas, as
--       "kind schema.name", a trigger as "trigger schema.table.name"
-- servers: 14..
SELECT o.kind || ' ' || n.nspname || '.' || o.name AS object
  FROM (SELECT 'type' AS kind, t.typname::text AS name, t.typnamespace AS namespace,
               'pg_type'::regclass AS catalog, t.oid
          FROM pg_type t
         WHERE (t.typtype IN ('e', 'd', 'r')
                OR t.typtype = 'c' AND EXISTS (SELECT FROM pg_class c
                                                WHERE c.oid = t.typrelid AND c.relkind = 'c'))
         UNION ALL
        SELECT 'function', p.proname, p.pronamespace, 'pg_proc'::regclass, p.oid FROM pg_proc p
         UNION ALL
        SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'view' END, c.relname,
               c.relnamespace, 'pg_class'::regclass, c.oid
          FROM pg_class c WHERE c.relkind IN ('v', 'm', 'S') AND c.relpersistence <> 't'
         UNION ALL
        SELECT 'trigger', c.relname || '.' || g.tgname, c.relnamespace, 'pg_trigger'::regclass, g.oid
          FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid WHERE NOT g.tgisinternal) o
  JOIN pg_namespace n ON n.oid = o.namespace
 WHERE n.nspname NOT LIKE 'pg\_%'
   AND n.nspname NOT IN ('information_schema', 'pgdeck', 'monitoring', 'rollups')
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = o.catalog AND d.objid = o.oid AND d.deptype = 'e')
 ORDER BY 1
