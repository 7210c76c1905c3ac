-- what: functions that run as a superuser for anybody, and schemas in which everybody may create
-- check: security
-- scope: database
-- rank: 68
-- servers: 14..18
SELECT 'warning',
       format('%s %s runs as superuser %I without a search_path of its own',
              CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, p.oid::regprocedure,
              r.rolname),
       'who may call it and create objects can make it run theirs', 'measured',
       format('ALTER ROUTINE %s SET search_path = pg_catalog, %I, pg_temp; -- and the '
              'other schemas that it uses by unqualified names', p.oid::regprocedure,
              n.nspname)
  FROM pg_proc AS p
  JOIN pg_namespace AS n ON n.oid = p.pronamespace
  JOIN pg_roles AS r ON r.oid = p.proowner AND r.rolsuper
 WHERE p.prosecdef AND p.prokind IN ('f', 'p')
   AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS c (setting)
                    WHERE c.setting LIKE 'search\_path=%')
   AND NOT EXISTS (SELECT FROM pg_depend AS d
                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
 UNION ALL
SELECT 'info', format('everybody may create objects in schema %I', n.nspname),
       'one user''s function can take the place of another''s', 'measured',
       format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC;', n.nspname)
  FROM pg_namespace AS n
 CROSS JOIN aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS a
 WHERE a.grantee = 0 AND a.privilege_type = 'CREATE' AND n.nspname NOT LIKE 'pg\_temp%';
