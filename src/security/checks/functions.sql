-- what: functions that run with their owner's rights, and code outside of PostgreSQL's hands
-- item: functions
-- ok: no function runs with its owner's rights for whoever prepares it; no untrusted language
-- scope: database
-- servers: 14..
-- $1 deck json
-- returns: state, finding, evidence, fix
WITH deck AS (SELECT $1::jsonb), definer AS (
    SELECT p.oid, p.proconfig, p.proacl, p.proowner, r.rolname, n.nspname,
           CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind,
           (SELECT c FROM unnest(p.proconfig) AS c WHERE c LIKE 'search\_path=%') AS path
      FROM pg_proc AS p
      JOIN pg_namespace AS n ON n.oid = p.pronamespace
      JOIN pg_roles AS r ON r.oid = p.proowner
     CROSS JOIN deck
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
SELECT 'warn', format('language %I is untrusted', lanname),
       'its functions do whatever the server''s user may do on the host',
       format('DROP LANGUAGE %I; -- if no function needs it', lanname)
  FROM pg_language WHERE NOT lanpltrusted AND lanname NOT IN ('internal', 'c')
 UNION ALL
SELECT 'warn', format('extension %I is installed', extname),
       'it reaches files or other servers from SQL',
       format('DROP EXTENSION %I; -- if nothing needs it', extname)
  FROM pg_extension WHERE extname IN ('adminpack', 'dblink', 'file_fdw', 'pageinspect')
