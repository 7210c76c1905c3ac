-- what: whether each tenant sees its own rows only, and at what price
-- item: tenants
-- ok: row-level security is on wherever the deck wants it, and indexes serve it
-- scope: database
-- servers: 14..
-- $1 deck json
-- returns: state, finding, evidence, fix
WITH deck AS (
    SELECT $1::jsonb -> 'tenants' ->> 'column' AS name, $1::jsonb -> 'tenants' ->> 'setting' AS setting
     WHERE $1::jsonb -> 'tenants' -> 'databases' ? current_database()
), guarded AS (
    SELECT c.oid, c.relkind, c.relispartition, c.relrowsecurity AND c.relforcerowsecurity AS is_on,
           a.attnum, a.attname, a.atttypid
      FROM deck
      JOIN pg_attribute AS a ON a.attname = deck.name AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
      JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname !~ '^pg_'
                            AND n.nspname NOT IN ('information_schema', 'pgdeck')
                            AND (n.nspname, c.relname) <> ('tenants', 'login')
), served AS (
    SELECT r.oid, r.rolname
      FROM jsonb_array_elements($1::jsonb -> 'environments') AS e
     CROSS JOIN jsonb_array_elements(e -> 'services') AS s
      JOIN pg_roles AS r ON r.rolname = s ->> 'role'
     WHERE e -> 'databases' ? current_database()
), login AS ( -- what all policies rest on
    SELECT c.oid, c.relowner, c.relacl, c.relrowsecurity AS is_on
      FROM deck JOIN pg_class AS c ON c.oid = to_regclass('tenants.login')
     WHERE deck.setting = ''
), policed AS (
    SELECT oid, 'pgdeck_tenant' AS own FROM guarded UNION ALL
    SELECT oid, 'pgdeck_own_login' FROM login
), login_right AS (
    SELECT a.grantee, a.privilege_type AS kind, a.privilege_type AS words
      FROM login AS l CROSS JOIN aclexplode(l.relacl) AS a WHERE a.grantee <> l.relowner
     UNION ALL
    SELECT a.grantee, a.privilege_type, format('%s (%I)', a.privilege_type, c.attname)
      FROM login AS l JOIN pg_attribute AS c ON c.attrelid = l.oid
     CROSS JOIN aclexplode(c.attacl) AS a WHERE a.grantee <> l.relowner
), foreign_table AS (
    SELECT c.oid
      FROM deck
      JOIN pg_attribute AS a ON a.attname = deck.name AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
      JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = 'pgdeck'
     WHERE c.relname !~ '^(apply|journal|maintenance_(run|task|index)|rescue|adoption|conversion|log_[0-9]+)$'
)
SELECT 'fail' AS state, format('every tenant sees all rows of %s', g.oid::regclass) AS finding,
       CASE WHEN g.relispartition THEN 'a partition, which its table''s policy does not guard'
            ELSE 'no policy, or row-level security is off or not forced' END AS evidence,
       '-- pgdeck apply --only security' AS fix
  FROM guarded AS g
 WHERE NOT g.is_on OR NOT EXISTS (SELECT FROM pg_policy AS p
                                   WHERE p.polrelid = g.oid AND p.polname = 'pgdeck_tenant')
 UNION ALL
SELECT 'fail', format('every tenant sees all rows of %s', f.oid::regclass),
       'the schema pgdeck is for pgdeck''s own tables: no policy is made there',
       format('ALTER TABLE %s SET SCHEMA public; -- then pgdeck apply --only security', f.oid::regclass)
  FROM foreign_table AS f
 UNION ALL
SELECT CASE WHEN EXISTS (SELECT FROM unnest(p.polroles) AS r CROSS JOIN served AS s
                          WHERE r = 0 OR pg_has_role(s.oid, r, 'USAGE') OR pg_has_role(r, s.oid, 'USAGE'))
            THEN 'fail' ELSE 'warn' END,
       format('policy %I on %s lets in more than the tenant''s rows', p.polname, g.oid::regclass),
       format('permissive policies add up: %s',
              coalesce(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid), 'true')),
       format('DROP POLICY %I ON %s;', p.polname, g.oid::regclass)
  FROM policed AS g
  JOIN pg_policy AS p ON p.polrelid = g.oid AND p.polpermissive AND p.polname <> g.own
 UNION ALL
SELECT 'fail', 'tenants.login shows a tenant more than its own row',
       CASE WHEN l.is_on THEN 'its policy is not the one that pgdeck made, or it is not the deck''s owner''s'
            ELSE 'row-level security is off there' END,
       '-- pgdeck apply --only security'
  FROM login AS l
 WHERE NOT l.is_on
    OR NOT EXISTS (SELECT FROM jsonb_array_elements($1::jsonb -> 'environments') AS e
                    WHERE e -> 'databases' ? current_database()
                      AND e ->> 'owner' = pg_get_userbyid(l.relowner))
    OR NOT EXISTS (SELECT FROM pg_policy AS p
                    WHERE p.polrelid = l.oid AND p.polname = 'pgdeck_own_login' AND p.polcmd = 'r'
                      AND p.polpermissive AND p.polroles = '{0}'
                      AND pg_get_expr(p.polqual, p.polrelid) = '(role = CURRENT_USER)')
 UNION ALL
SELECT CASE WHEN r.grantee = 0 OR EXISTS (SELECT FROM served AS s
                                           WHERE pg_has_role(r.grantee, s.oid, 'USAGE'))
            THEN 'fail' ELSE 'warn' END,
       format('%s has %s on tenants.login', g.name, string_agg(r.words, ', ' ORDER BY r.words)),
       'who may change that table says which tenant somebody is',
       format('REVOKE %s ON tenants.login FROM %s;', string_agg(r.words, ', ' ORDER BY r.words), g.name)
  FROM login_right AS r
 CROSS JOIN LATERAL (SELECT CASE r.grantee WHEN 0 THEN 'PUBLIC'
                                           ELSE format('%I', pg_get_userbyid(r.grantee)) END) AS g (name)
 WHERE r.kind <> 'SELECT'
 GROUP BY r.grantee, g.name
 UNION ALL
SELECT 'warn', format('no index of %s begins with %I', g.oid::regclass, g.attname),
       'with the policy every query reads all rows of all tenants',
       format('CREATE INDEX CONCURRENTLY ON %s (%I);', g.oid::regclass, g.attname)
  FROM guarded AS g
 WHERE NOT g.relispartition
   AND NOT EXISTS (SELECT FROM pg_index AS i
                    WHERE i.indrelid = g.oid AND i.indisvalid AND i.indkey[0] = g.attnum
                      AND i.indpred IS NULL)
 UNION ALL
SELECT 'warn', format('the comparison of %s.%I is not leakproof', g.oid::regclass, g.attname),
       format('type %s: indexes cannot serve queries behind the policy', format_type(g.atttypid, NULL)),
       '-- a column of another type'
  FROM guarded AS g
  JOIN pg_opclass AS c ON c.opcdefault AND c.opcintype = g.atttypid
                      AND c.opcmethod = (SELECT oid FROM pg_am WHERE amname = 'btree')
  JOIN pg_amop AS o ON o.amopfamily = c.opcfamily AND o.amopstrategy = 3
                   AND o.amoplefttype = g.atttypid AND o.amoprighttype = g.atttypid
  JOIN pg_operator AS e ON e.oid = o.amopopr
  JOIN pg_proc AS f ON f.oid = e.oprcode AND NOT f.proleakproof
 UNION ALL
SELECT 'warn', format('%I of %s may lead to another tenant''s row', k.conname, k.conrelid::regclass),
       format('a foreign key to %s without %I', k.confrelid::regclass, f.attname),
       '-- pgdeck apply --only security'
  FROM pg_constraint AS k
  JOIN guarded AS f ON f.oid = k.conrelid
  JOIN guarded AS t ON t.oid = k.confrelid
 WHERE k.contype = 'f' AND k.conparentid = 0
   AND NOT EXISTS ( -- a twin of it that has the column
        SELECT FROM pg_constraint AS c
         WHERE c.contype = 'f' AND c.convalidated AND c.conrelid = k.conrelid
           AND c.confrelid = k.confrelid
           AND ARRAY(SELECT format('%s:%s', p.h, p.t)
                       FROM unnest(c.conkey, c.confkey) AS p (h, t) ORDER BY 1)
               = ARRAY(SELECT format('%s:%s', p.h, p.t)
                         FROM unnest(k.conkey || f.attnum, k.confkey || t.attnum) AS p (h, t)
                        ORDER BY 1))
   AND NOT EXISTS (SELECT FROM unnest(k.conkey, k.confkey) AS pair(here, there)
                    WHERE pair.here = f.attnum AND pair.there = t.attnum)
 UNION ALL
SELECT DISTINCT 'warn', format('every tenant sees all rows of %s', k.conrelid::regclass),
       format('it refers to %s, and has no column %I of its own', k.confrelid::regclass, deck.name),
       format('-- ALTER TABLE %s ADD COLUMN %I ..., in the deck''s schema, too', k.conrelid::regclass,
              deck.name)
  FROM deck
 CROSS JOIN pg_constraint AS k
  JOIN guarded AS t ON t.oid = k.confrelid AND NOT t.relispartition
 WHERE k.contype = 'f' AND k.conparentid = 0
   AND NOT EXISTS (SELECT FROM guarded AS f WHERE f.oid = k.conrelid)
   AND NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = k.conrelid AND c.relrowsecurity)
 UNION ALL
SELECT 'warn', format('%s tells the tenant, and the pool gives a server to another client after each transaction',
                      deck.setting),
       'set it inside the transaction: SET LOCAL, or set_config(..., true)',
       format('-- security: identity: login, or SET LOCAL %s in every transaction', deck.setting)
  FROM deck
 WHERE deck.setting <> ''
   AND EXISTS (SELECT FROM jsonb_array_elements($1::jsonb -> 'environments') AS e
                CROSS JOIN jsonb_array_elements(e -> 'services') AS s
                WHERE e -> 'databases' ? current_database() AND s ->> 'mode' = 'transaction')
