-- what: views and functions of the schema monitoring that belong to no extension, with a hash of
--       their canonical definition, comment and rights
-- servers: 14..
SELECT o.kind, o.name,
       md5(concat_ws('|', o.definition, o.acl, obj_description(o.oid, o.catalog))) AS hash
  FROM (SELECT 'view' AS kind, c.relname::text AS name, c.oid, 'pg_class' AS catalog,
               pg_get_viewdef(c.oid) AS definition, c.relacl::text AS acl
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = 'monitoring' AND c.relkind = 'v'
         UNION ALL
        SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END,
               format('%s(%s)', p.proname, pg_get_function_identity_arguments(p.oid)), p.oid,
               'pg_proc', pg_get_functiondef(p.oid), p.proacl::text
          FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE n.nspname = 'monitoring' AND p.prokind IN ('f', 'p')) o
 WHERE NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = o.catalog::regclass AND d.objid = o.oid AND d.deptype = 'e')
 ORDER BY o.kind, o.name
