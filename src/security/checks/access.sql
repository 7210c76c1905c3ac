-- what: what everybody may in this database, and who of another environment gets in
-- item: access
-- ok: everybody may nothing here; no other environment gets in
-- scope: database
-- servers: 14..
-- $1 deck json
-- returns: state, finding, evidence, fix
WITH own AS (
    SELECT e AS environment FROM jsonb_array_elements($1::jsonb -> 'environments') AS e
     WHERE e -> 'databases' ? current_database()
), other AS (
    SELECT e ->> 'name' AS environment, n AS name
      FROM jsonb_array_elements($1::jsonb -> 'environments') AS e
     CROSS JOIN jsonb_array_elements(e -> 'services') AS s
     CROSS JOIN LATERAL (SELECT s ->> 'role' AS n UNION ALL
                         SELECT l #>> '{}' FROM jsonb_array_elements(s -> 'logins') AS l) AS names
     WHERE NOT e -> 'databases' ? current_database()
), own_schema AS (
    SELECT oid, nspname, nspowner, nspacl FROM pg_namespace
     WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_(toast|temp)'
)
SELECT CASE a.privilege_type WHEN 'CONNECT' THEN 'fail' ELSE 'warn' END AS state,
       format('everybody has %s in this database', a.privilege_type) AS finding,
       'PostgreSQL''s default for every new database' AS evidence,
       format('REVOKE %s ON DATABASE %I FROM PUBLIC;', a.privilege_type, datname) AS fix
  FROM pg_database AS d
 CROSS JOIN aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
 WHERE datname = current_database() AND a.grantee = 0
 UNION ALL
SELECT 'warn', format('everybody may create objects in schema %I', n.nspname),
       'one user''s function can take the place of another''s',
       format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC;', n.nspname)
  FROM own_schema AS n
 CROSS JOIN aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS a
 WHERE a.grantee = 0 AND a.privilege_type = 'CREATE'
 UNION ALL
SELECT 'warn', format('everybody has %s on %s',
                      string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type),
                      c.oid::regclass),
       'all who get into the database', format('REVOKE ALL ON %s FROM PUBLIC;', c.oid::regclass)
  FROM pg_class AS c
  JOIN own_schema AS n ON n.oid = c.relnamespace
 CROSS JOIN aclexplode(c.relacl) AS a
 WHERE a.grantee = 0 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
   AND NOT EXISTS (SELECT FROM pg_depend AS d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 GROUP BY c.oid
 UNION ALL
SELECT 'fail', format('role %I of %s may connect', o.name, o.environment), 'another environment''s',
       format('REVOKE CONNECT ON DATABASE %I FROM %I;', current_database(), o.name)
  FROM other AS o JOIN pg_roles AS r ON r.rolname = o.name CROSS JOIN own
 WHERE has_database_privilege(r.oid, current_database(), 'CONNECT')
   AND NOT pg_has_role(r.oid, 'pg_monitor', 'USAGE') -- sees the statistics of all databases anyway
   AND NOT EXISTS (SELECT FROM pg_database AS d
                    CROSS JOIN aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
                    WHERE d.datname = current_database() AND a.grantee = 0
                      AND a.privilege_type = 'CONNECT')
 UNION ALL
SELECT 'warn', format('%s belongs to %I, which may log in', c.oid::regclass, r.rolname),
       'who owns a table may drop it, and row-level security does not hold him unless forced',
       format('ALTER TABLE %s OWNER TO %I;', c.oid::regclass, own.environment ->> 'owner')
  FROM pg_class AS c
  JOIN own_schema AS n ON n.oid = c.relnamespace
  JOIN pg_roles AS r ON r.oid = c.relowner AND r.rolcanlogin AND NOT r.rolsuper
 CROSS JOIN own
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
