-- what: who is connected to these databases and would not be let in again: by role, database,
--       address, and whether in clear text; logical
--       replication, too. Of pgdeck's own lines there are some, too
-- servers: 14..
-- $1 databases text[]
-- $2 line_databases text[]
-- $3 line_roles text[], each a text[]
-- $4 line_networks text[]
-- $5 line_tls bool[], whether the line takes TLS only
-- returns: one row; names null: nobody
WITH line AS (
    SELECT database, roles::text[], network::inet, has_tls
      FROM unnest($2::text[], $3::text[], $4::text[], $5::bool[])
           AS l(database, roles, network, has_tls)
), session AS (
    SELECT a.usename, a.datname, a.client_addr, coalesce(s.ssl, false) AS has_tls
      FROM pg_stat_activity AS a LEFT JOIN pg_stat_ssl AS s ON s.pid = a.pid
     WHERE a.backend_type IN ('client backend', 'walsender') AND a.datname = ANY ($1::text[])
       AND a.client_addr IS NOT NULL AND a.pid <> pg_backend_pid()
), refused AS (
    SELECT s.*, EXISTS (SELECT FROM line AS l
                         WHERE l.database = s.datname AND s.usename = ANY (l.roles)
                           AND s.client_addr <<= l.network) AS is_clear
      FROM session AS s
     WHERE NOT EXISTS (SELECT FROM line AS l
                        WHERE l.database = s.datname AND s.usename = ANY (l.roles)
                          AND s.client_addr <<= l.network AND (s.has_tls OR NOT l.has_tls))
)
SELECT string_agg(DISTINCT format('%s from %s to %s%s', usename, host(client_addr), datname,
                                  CASE WHEN is_clear THEN ' in clear text' ELSE '' END), ', ')
           AS names
  FROM refused
