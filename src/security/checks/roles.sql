-- what: roles of the deck that may more than they need; other superusers
-- item: roles
-- ok: roles of the deck may what they need; nothing is shared between environments
-- scope: server
-- servers: 14..
-- $1 deck json
-- returns: state, finding, evidence, fix
WITH RECURSIVE own AS (
    SELECT e ->> 'name' AS environment, s ->> 'role' AS service, n AS name,
           n <> s ->> 'role' AS is_login, (s ->> 'limit')::int AS connections
      FROM jsonb_array_elements($1::jsonb -> 'environments') AS e
     CROSS JOIN jsonb_array_elements(e -> 'services') AS s
     CROSS JOIN LATERAL (SELECT s ->> 'role' AS n
                          UNION ALL
                         SELECT l #>> '{}' FROM jsonb_array_elements(s -> 'logins') AS l) AS names
), owner AS (
    SELECT e ->> 'name' AS environment, e ->> 'owner' AS name
      FROM jsonb_array_elements($1::jsonb -> 'environments') AS e
), member (environment, service, name, role) AS (
    SELECT o.environment, o.service, o.name, m.roleid
      FROM own AS o
      JOIN pg_roles AS r ON r.rolname = o.name
      JOIN pg_auth_members AS m ON m.member = r.oid
     UNION
    SELECT b.environment, b.service, b.name, m.roleid
      FROM member AS b JOIN pg_auth_members AS m ON m.member = b.role
), target AS (
    SELECT r.oid, r.rolname, k.name, k.is_owner
      FROM (SELECT name, false AS is_owner FROM own UNION SELECT name, true FROM owner) AS k
      JOIN pg_roles AS r ON r.rolname = k.name
), reaching (name, is_owner, via, member) AS ( -- who gets to a role of the deck, through groups, too
    SELECT t.name, t.is_owner, t.rolname, m.member
      FROM target AS t JOIN pg_auth_members AS m ON m.roleid = t.oid
     UNION
    SELECT k.name, k.is_owner, g.rolname, m.member
      FROM reaching AS k
      JOIN pg_roles AS g ON g.oid = k.member AND NOT g.rolsuper
      JOIN pg_auth_members AS m ON m.roleid = k.member
     WHERE k.member NOT IN (SELECT oid FROM target)
), stranger AS (
    SELECT r.oid, r.rolname, r.rolcanlogin, r.rolcreaterole
      FROM pg_roles AS r
     WHERE NOT r.rolsuper AND r.rolname <> current_user
       AND r.oid NOT IN (SELECT oid FROM target)
       AND NOT $1::jsonb @? format('$.roles[*].name ? (@ == %s)', to_jsonb(r.rolname::text))::jsonpath
), foreign_role AS (
    SELECT b.name, r.rolname AS role, b.environment, b.service,
           coalesce(o.environment, w.environment) AS other, o.service AS other_service
      FROM member AS b
      JOIN pg_roles AS r ON r.oid = b.role
      LEFT JOIN own AS o ON o.name = r.rolname
      LEFT JOIN owner AS w ON w.name = r.rolname
)
SELECT 'fail' AS state, format('role %I of the deck may too much', r.rolname) AS finding,
       concat_ws(', ', CASE WHEN rolsuper THEN 'SUPERUSER' END,
                 CASE WHEN rolbypassrls THEN 'BYPASSRLS' END,
                 CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
                 CASE WHEN rolcreatedb THEN 'CREATEDB' END,
                 CASE WHEN rolreplication THEN 'REPLICATION' END) AS evidence,
       format('ALTER ROLE %I NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION;',
              r.rolname) AS fix
  FROM pg_roles AS r
 WHERE (r.rolname IN (SELECT name FROM own) OR r.rolname IN (SELECT name FROM owner))
   AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
 UNION ALL
SELECT 'fail', format('owner %I may log in', r.rolname),
       'it may change and drop everything of ' || w.environment,
       format('ALTER ROLE %I NOLOGIN;', r.rolname)
  FROM owner AS w JOIN pg_roles AS r ON r.rolname = w.name AND r.rolcanlogin
 UNION ALL
SELECT 'fail', format('role %I of %s has the rights of %s', f.name, f.environment, f.other),
       format('member of %I', f.role), format('REVOKE %I FROM %I;', f.role, f.name)
  FROM foreign_role AS f WHERE f.other <> f.environment
 UNION ALL
SELECT 'fail', format('role %I owns what it uses', f.name), format('member of %I', f.role),
       format('REVOKE %I FROM %I;', f.role, f.name)
  FROM foreign_role AS f JOIN owner AS w ON w.name = f.role AND w.environment = f.environment
 UNION ALL
SELECT 'warn', format('role %I has the rights of another service', f.name),
       format('member of %I', f.role), format('REVOKE %I FROM %I;', f.role, f.name)
  FROM foreign_role AS f
 WHERE f.other = f.environment AND f.other_service <> f.service AND f.name <> f.role
 UNION ALL
SELECT 'fail', format('role %I has server-wide rights', f.name), format('member of %I', f.role),
       format('REVOKE %I FROM %I;', f.role, f.name)
  FROM foreign_role AS f
 WHERE f.role IN ('pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files',
                  'pg_write_server_files', 'pg_execute_server_program', 'pg_signal_backend',
                  'pg_maintain', 'pg_create_subscription')
 UNION ALL
SELECT 'warn', format('role %I may take every connection', r.rolname), 'it has no connection limit',
       format('ALTER ROLE %I CONNECTION LIMIT %s;', r.rolname, o.connections)
  FROM own AS o JOIN pg_roles AS r ON r.rolname = o.name AND r.rolcanlogin
 WHERE o.is_login AND r.rolconnlimit = -1 AND o.connections > 0
 UNION ALL
SELECT 'warn', format('role %I, which may log in, is %s', rolname,
                      CASE WHEN rolsuper THEN 'a superuser' ELSE 'above row-level security' END),
       'besides the server''s first superuser and who looks here',
       format('ALTER ROLE %I NOSUPERUSER NOBYPASSRLS;', rolname)
  FROM pg_roles
 WHERE rolcanlogin AND (rolsuper OR rolbypassrls) AND oid <> 10 AND rolname <> current_user
   AND rolname NOT IN (SELECT name FROM own) AND rolname NOT IN (SELECT name FROM owner)
 UNION ALL
SELECT CASE WHEN bool_or(k.is_owner) THEN 'fail' ELSE 'warn' END,
       format('role %I, which the deck does not know, has the rights of %s', s.rolname,
              string_agg(format('%I', k.name), ', ' ORDER BY k.name)),
       format('member of %I; besides superusers and who administers roles', k.via),
       format('REVOKE %I FROM %I;', k.via, s.rolname)
  FROM reaching AS k JOIN stranger AS s ON s.oid = k.member
 WHERE s.rolcanlogin AND NOT s.rolcreaterole
 GROUP BY s.rolname, k.via
 UNION ALL
SELECT 'warn', format('role %I, which the deck does not know, administers roles', s.rolname),
       CASE WHEN current_setting('server_version_num')::int < 160000
            THEN 'CREATEROLE: it may let itself into every role but superusers'
            ELSE 'CREATEROLE: it may make roles, and change those that it administers' END,
       format('ALTER ROLE %I NOCREATEROLE;', s.rolname)
  FROM stranger AS s
 WHERE s.rolcreaterole
   AND (s.rolcanlogin OR EXISTS (SELECT FROM pg_auth_members AS m WHERE m.roleid = s.oid))
 UNION ALL
SELECT 'fail', format('role %I lets others into role %I', o.name, g.rolname), 'WITH ADMIN OPTION',
       format('REVOKE ADMIN OPTION FOR %I FROM %I;', g.rolname, o.name)
  FROM own AS o
  JOIN pg_roles AS r ON r.rolname = o.name
  JOIN pg_auth_members AS m ON m.member = r.oid AND m.admin_option
  JOIN pg_roles AS g ON g.oid = m.roleid
