-- what: databases of this server in which an apply may have left a journal, and whether this role
--       gets in
-- servers: 14..
SELECT datname AS name,
       has_database_privilege(oid, 'CONNECT') AND datconnlimit <> -2 AS can_connect
  FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname
