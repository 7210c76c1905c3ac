-- what: whether the function that tells verifiers is there, as it has to be, and for the asker only
-- servers: 14..
-- $1 asker name
-- $2 body text
-- returns: is_there, is_right
SELECT count(p.oid) > 0 AS is_there,
       coalesce(bool_and(p.prosrc = $2 AND p.prosecdef AND o.rolsuper
                         AND p.proconfig = '{"search_path=pg_catalog, pg_temp"}'
                         AND p.proacl IS NOT NULL
                         AND NOT EXISTS (SELECT FROM aclexplode(p.proacl) WHERE grantee = 0)
                         AND has_function_privilege(r.oid, p.oid, 'EXECUTE')
                         AND has_schema_privilege(r.oid, n.oid, 'USAGE')
                         AND EXISTS (SELECT FROM pg_database AS d
                                      CROSS JOIN aclexplode(d.datacl) AS a
                                      WHERE d.datname = current_database() AND a.grantee = r.oid
                                        AND a.privilege_type = 'CONNECT')), false) AS is_right
  FROM pg_proc AS p
  JOIN pg_namespace AS n ON n.oid = p.pronamespace
  JOIN pg_roles AS o ON o.oid = p.proowner
  LEFT JOIN pg_roles AS r ON r.rolname = $1::name
 WHERE n.nspname = 'pgdeck' AND p.proname = 'pool_login'
   AND p.proargtypes = ARRAY['text'::regtype::oid]::oidvector
