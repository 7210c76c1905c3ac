-- what: SQL that makes the objects of the schema monitoring as they are now, in an order that works
-- servers: 14..
-- returns: kind, name as in pg/sql/monitoring_objects.sql; sql
SELECT o.kind, o.name,
       concat_ws(E'\n', o.definition || ';',
                 format('COMMENT ON %s monitoring.%s IS %L;', upper(o.kind), o.sql_name,
                        obj_description(o.oid, o.catalog)),
                 (SELECT string_agg(format('GRANT %s ON %s monitoring.%s TO %s;', g.privilege_type,
                                           CASE WHEN o.kind = 'view' THEN 'TABLE'
                                                ELSE upper(o.kind) END, o.sql_name,
                                           CASE WHEN g.grantee = 0 THEN 'PUBLIC'
                                                ELSE quote_ident(pg_get_userbyid(g.grantee)) END),
                                    E'\n')
                    FROM aclexplode(o.acl) AS g WHERE g.grantee <> o.owner)) AS sql
  FROM (SELECT 'view' AS kind, c.relname::text AS name, quote_ident(c.relname) AS sql_name, c.oid,
               'pg_class' AS catalog, c.relacl AS acl, c.relowner AS owner,
               format('CREATE VIEW monitoring.%I AS %s', c.relname,
                      rtrim(pg_get_viewdef(c.oid), '; ')) AS definition
          FROM pg_class AS c
         WHERE c.relnamespace = 'monitoring'::regnamespace AND c.relkind = 'v'
         UNION ALL
        SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END,
               format('%s(%s)', p.proname, pg_get_function_identity_arguments(p.oid)),
               format('%I(%s)', p.proname, pg_get_function_identity_arguments(p.oid)), p.oid,
               'pg_proc', p.proacl, p.proowner, rtrim(pg_get_functiondef(p.oid), E'\n')
          FROM pg_proc AS p
         WHERE p.pronamespace = 'monitoring'::regnamespace AND p.prokind IN ('f', 'p')) AS o
 ORDER BY o.oid
