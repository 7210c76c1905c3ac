-- what: whether row-level security, where it is on, holds for all who should be held
-- item: row-level security
-- ok: where it is on, it holds for owners, for what is written, and behind views
-- scope: database
-- servers: 14..
-- $1 deck json
-- returns: state, finding, evidence, fix
WITH guarded AS (
    SELECT c.oid, c.relforcerowsecurity AS is_forced, r.rolname AS owner
      FROM pg_class AS c JOIN pg_roles AS r ON r.oid = c.relowner CROSS JOIN (SELECT $1::jsonb) AS deck
     WHERE c.relrowsecurity AND c.relkind IN ('r', 'p')
       AND c.oid IS DISTINCT FROM to_regclass('tenants.login') -- pgdeck's, which its owner fills
), view AS (
    SELECT DISTINCT v.oid, v.relkind, v.relowner, v.relacl, d.refobjid, coalesce(v.reloptions, '{}') AS options
      FROM pg_rewrite AS w
      JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
                         AND d.refclassid = 'pg_class'::regclass
      JOIN pg_class AS v ON v.oid = w.ev_class AND v.relkind IN ('v', 'm')
      JOIN guarded AS g ON g.oid = d.refobjid
     WHERE v.oid <> d.refobjid
)
SELECT 'warn' AS state, format('the owner of %s sees all rows', oid::regclass) AS finding,
       format('row-level security is on and not forced; owner %I', owner) AS evidence,
       format('ALTER TABLE %s FORCE ROW LEVEL SECURITY;', oid::regclass) AS fix
  FROM guarded WHERE NOT is_forced
 UNION ALL
SELECT 'warn', format('policy %I on %s does not say what may be written', polname, polrelid::regclass),
       'without WITH CHECK the rows of USING are taken, whatever they were before',
       format('ALTER POLICY %I ON %s WITH CHECK (%s);', polname, polrelid::regclass,
              pg_get_expr(polqual, polrelid))
  FROM pg_policy WHERE polcmd IN ('*', 'w', 'a') AND polwithcheck IS NULL
 UNION ALL
SELECT 'warn', format('policy %I on %s calls %s, which is volatile', p.polname, p.polrelid::regclass,
                      f.oid::regprocedure),
       'it is called for every row and keeps indexes from being used',
       format('ALTER FUNCTION %s STABLE; -- if it is', f.oid::regprocedure)
  FROM pg_policy AS p
  JOIN pg_depend AS d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
                     AND d.refclassid = 'pg_proc'::regclass
  JOIN pg_proc AS f ON f.oid = d.refobjid AND f.provolatile = 'v'
 UNION ALL
SELECT 'warn', format('view %s reads %s as its owner', oid::regclass, refobjid::regclass),
       'the policies of who asks do not hold in it; security_barrier changes nothing about that',
       CASE WHEN current_setting('server_version_num')::int >= 150000
            THEN format('ALTER VIEW %s SET (security_invoker = true);', oid::regclass)
            ELSE '-- before PostgreSQL 15 every view does; a SECURITY INVOKER function does not' END
  FROM view
 WHERE relkind = 'v'
   AND NOT EXISTS (SELECT FROM unnest(options) AS o WHERE o ~* '^security_invoker=(true|on|yes|1)$')
 UNION ALL
SELECT 'warn', format('materialized view %s shows rows of %s to %s', v.oid::regclass, v.refobjid::regclass,
                      string_agg(DISTINCT g.name, ', ')),
       'it keeps what its owner saw when it was filled; no policy holds for it',
       format('REVOKE ALL ON %s FROM %s;', v.oid::regclass, string_agg(DISTINCT g.name, ', '))
  FROM view AS v
 CROSS JOIN aclexplode(v.relacl) AS a
 CROSS JOIN LATERAL (SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC'
                                           ELSE format('%I', pg_get_userbyid(a.grantee)) END) AS g (name)
 WHERE v.relkind = 'm' AND a.privilege_type = 'SELECT' AND a.grantee <> v.relowner
 GROUP BY v.oid, v.refobjid
