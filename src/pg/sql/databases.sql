-- what: all databases of the server
-- servers: 14..
SELECT d.oid, d.datname AS name, r.rolname AS owner, d.datallowconn AS can_connect,
       d.datconnlimit AS connection_limit, coalesce(d.datacl::text, '') AS acl,
       pg_has_role(d.datdba, 'USAGE') AS is_own
  FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba
 ORDER BY d.datname
