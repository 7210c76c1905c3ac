-- what: functions that run with their owner's rights, and code outside of PostgreSQL's hands
-- item: functions
-- ok: no function runs with its owner's rights for whoever prepares it; no untrusted language
-- scope: database
-- servers: 14..
-- $1 deck json
-- returns: state, finding, evidence, fix
WITH served AS (
    SELECT r.oid
      FROM jsonb_array_elements($1::jsonb -> 'environments') AS e
     CROSS JOIN jsonb_array_elements(e -> 'services') AS s
     CROSS JOIN LATERAL (SELECT s ->> 'role' AS name UNION ALL
                         SELECT l #>> '{}' FROM jsonb_array_elements(s -> 'logins') AS l) AS names
      JOIN pg_roles AS r ON r.rolname = names.name
     WHERE e -> 'databases' ? current_database() AND s ->> 'rights' IS DISTINCT FROM 'connect'
), tenants AS (
    SELECT c.relowner AS owner
      FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
     WHERE $1::jsonb -> 'tenants' -> 'databases' ? current_database()
       AND a.attname = $1::jsonb -> 'tenants' ->> 'column' AND a.attnum > 0
), definer AS (
    SELECT p.oid, p.proconfig, p.proacl, p.proowner, r.rolname, n.nspname,
           r.rolsuper, r.rolbypassrls,
           CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind,
           (SELECT c FROM unnest(p.proconfig) AS c WHERE c LIKE 'search\_path=%') AS path
      FROM pg_proc AS p
      JOIN pg_namespace AS n ON n.oid = p.pronamespace
      JOIN pg_roles AS r ON r.oid = p.proowner
     WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')
       AND NOT EXISTS (SELECT FROM pg_depend AS d
                        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                          AND d.deptype = 'e')
)
SELECT 'warn' AS state,
       format('%s runs as %I, with names as its caller wants them', oid::regprocedure, rolname)
           AS finding,
       CASE WHEN path IS NULL THEN 'SECURITY DEFINER without a search_path of its own'
            ELSE 'SECURITY DEFINER, and pg_temp is not the last of its search_path' END AS evidence,
       format('ALTER %s %s SET search_path = pg_catalog, %I, pg_temp;', kind, oid::regprocedure,
              nspname) AS fix
  FROM definer
 WHERE path IS NULL OR path !~ 'pg_temp"?$'
 UNION ALL
SELECT 'warn', format('everybody may run %s as %I', oid::regprocedure, rolname),
       'SECURITY DEFINER, and PUBLIC has EXECUTE',
       format('REVOKE EXECUTE ON %s %s FROM PUBLIC;', kind, oid::regprocedure)
  FROM definer
 CROSS JOIN aclexplode(coalesce(proacl, acldefault('f', proowner))) AS a
 WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE'
 UNION ALL
SELECT 'warn', format('%s may run %s as %I', string_agg(g.name, ', '), d.oid::regprocedure, d.rolname),
       CASE WHEN d.rolsuper THEN 'SECURITY DEFINER of a superuser: nothing holds it, no policy either'
            WHEN d.rolbypassrls THEN 'SECURITY DEFINER of a role that no policy holds'
            ELSE 'SECURITY DEFINER of the owner of tenants'' tables, who may switch their policies off' END,
       format('REVOKE EXECUTE ON %s %s FROM %s;', d.kind, d.oid::regprocedure, string_agg(g.name, ', '))
  FROM definer AS d
 CROSS JOIN aclexplode(d.proacl) AS a
 CROSS JOIN LATERAL (SELECT format('%I', pg_get_userbyid(a.grantee))) AS g (name)
 WHERE a.grantee <> 0 AND a.grantee <> d.proowner AND a.privilege_type = 'EXECUTE'
   AND (d.rolsuper OR d.rolbypassrls OR d.proowner IN (SELECT owner FROM tenants))
   AND EXISTS (SELECT FROM served AS s WHERE pg_has_role(s.oid, a.grantee, 'USAGE'))
 GROUP BY d.oid, d.kind, d.rolname, d.rolsuper, d.rolbypassrls
 UNION ALL
SELECT 'warn', format('language %I is untrusted', lanname),
       'its functions do whatever the server''s user may do on the host',
       format('DROP LANGUAGE %I; -- if no function needs it', lanname)
  FROM pg_language WHERE NOT lanpltrusted AND lanname NOT IN ('internal', 'c')
 UNION ALL
SELECT 'warn', format('extension %I is installed', extname),
       'it reaches files or other servers from SQL',
       format('DROP EXTENSION %I; -- if nothing needs it', extname)
  FROM pg_extension WHERE extname IN ('adminpack', 'dblink', 'file_fdw', 'pageinspect')
