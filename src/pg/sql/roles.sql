-- what: roles but PostgreSQL's own, with the roles that each is a member of
-- servers: 14..
SELECT r.oid, r.rolname AS name, r.rolcanlogin AS can_login, r.rolsuper AS is_superuser,
       r.rolcreatedb AS can_create_database, r.rolcreaterole AS can_create_role,
       r.rolconnlimit AS connection_limit,
       ARRAY(SELECT g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
              WHERE m.member = r.oid ORDER BY g.rolname)::text[] AS member_of
  FROM pg_roles r
 WHERE r.rolname NOT LIKE 'pg\_%'
 ORDER BY r.rolname
