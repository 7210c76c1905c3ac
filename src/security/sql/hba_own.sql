-- what: how this session came in: its address, and the line of pg_hba.conf that let it in; superusers
--       only. For one from the server's own host the loopback addresses, too, as the file lets them
--       in, so that pgdeck may come the other way tomorrow; one that came through the socket is not
--       given trust there. Where the deck wants TLS, clear text only if this session is. Whether a
--       host's name or samenet is meant cannot be told here: the first line that may have been it
--       counts, of those that ask for a password, or do not, as this session was
-- servers: 14..
-- $1 has_password bool
-- $2 wants_tls bool
-- returns: rows of which method null: the line cannot be told, refuses, or has a secret in it
WITH RECURSIVE session AS (
    SELECT inet_client_addr() AS address, inet_server_addr() AS here,
           session_user::text AS role, current_database()::text AS database,
           inet_client_addr() <<= CASE family(inet_client_addr())
                                  WHEN 4 THEN inet '127.0.0.0/8' ELSE inet '::1' END AS is_loopback,
           EXISTS (SELECT FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl) AS has_tls,
           EXISTS (SELECT FROM pg_stat_gssapi WHERE pid = pg_backend_pid() AND encrypted) AS has_gss
), own AS (
    SELECT s.*, true AS is_session, false AS has_socket FROM session AS s WHERE address IS NOT NULL
     UNION ALL
    SELECT l.address, l.address, s.role, s.database, true, s.has_tls, s.has_gss, false,
           s.address IS NULL
      FROM session AS s
     CROSS JOIN (VALUES (inet '127.0.0.1'), (inet '::1')) AS l (address)
     WHERE s.address IS NULL OR (s.is_loopback AND s.address <> l.address)
), member AS (
    SELECT oid, rolname::text AS name FROM pg_roles WHERE rolname = session_user
     UNION
    SELECT g.oid, g.rolname::text
      FROM member JOIN pg_auth_members AS m ON m.member = member.oid
      JOIN pg_roles AS g ON g.oid = m.roleid
), rule AS (
    SELECT coalesce((to_jsonb(r) ->> 'rule_number')::int, r.line_number) AS number,
           to_jsonb(r) ? 'rule_number' AS has_expressions, r.*
      FROM pg_hba_file_rules AS r
     WHERE r.error IS NULL
       AND NOT (r.auth_method = 'reject' AND r.user_name = '{all}' AND r.address = 'all')
)
SELECT host(own.address) || CASE family(own.address) WHEN 4 THEN '/32' ELSE '/128' END AS address,
       CASE WHEN NOT own.is_loopback AND own.has_tls THEN 'hostssl'
            WHEN own.is_loopback AND l.type IN ('hostssl', 'hostnossl') THEN l.type
            WHEN $2::bool AND (own.has_tls OR (own.has_socket AND current_setting('ssl')::bool))
            THEN 'hostssl'
            ELSE 'host' END AS type,
       CASE WHEN l.auth_method <> 'reject' AND NOT (own.has_socket AND l.auth_method = 'trust')
                 AND (l.options::text !~ '(ldapbindpasswd|radiussecrets)=' OR l.options IS NULL)
            THEN l.auth_method END AS method,
       coalesce((SELECT string_agg(CASE WHEN o ~ '^[A-Za-z0-9_=./:-]+$' THEN o
                                        ELSE '"' || replace(o, '"', '""') || '"' END, ' ')
                   FROM unnest(l.options) AS o
                  WHERE o NOT LIKE 'ldapscope=%'), '') AS options, -- ldapscope is shown, but not taken
       own.role
  FROM own
  LEFT JOIN LATERAL (
    SELECT r.type, r.auth_method, r.options
      FROM rule AS r
     WHERE CASE WHEN own.is_session
                THEN r.auth_method <> 'reject'
                     AND r.type IN ('host',
                                    CASE WHEN own.has_tls THEN 'hostssl' ELSE 'hostnossl' END,
                                    CASE WHEN own.has_gss THEN 'hostgssenc'
                                         ELSE 'hostnogssenc' END)
                ELSE r.type IN ('host', 'hostssl', 'hostnossl') END
       AND (own.has_socket OR r.auth_method = 'reject'
            OR $1::bool = (r.auth_method IN ('password', 'md5', 'scram-sha-256', 'ldap', 'pam',
                                             'radius', 'bsd')))
       AND EXISTS (SELECT FROM unnest(r.database) AS d
                    WHERE CASE WHEN d IN ('all', own.database) THEN true
                               WHEN d = 'sameuser' THEN own.role = own.database
                               WHEN d IN ('samerole', 'samegroup')
                               THEN own.database IN (SELECT name FROM member)
                               WHEN d LIKE '/%' AND r.has_expressions
                               THEN own.database ~ substr(d, 2) END)
       AND EXISTS (SELECT FROM unnest(r.user_name) AS u
                    WHERE CASE WHEN u IN ('all', own.role) THEN true
                               WHEN u LIKE '+%' THEN substr(u, 2) IN (SELECT name FROM member)
                               WHEN u LIKE '/%' AND r.has_expressions
                               THEN own.role ~ substr(u, 2) END)
       AND CASE WHEN r.address IN ('all', 'samenet') THEN true
                WHEN r.address = 'samehost' THEN own.is_loopback OR own.address = own.here
                WHEN r.address = 'localhost' THEN own.is_loopback
                WHEN r.netmask IS NULL THEN true
                WHEN family(r.address::inet) <> family(own.address) THEN false
                ELSE host(own.address & r.netmask::inet)::inet
                     = host(r.address::inet & r.netmask::inet)::inet END
     ORDER BY r.number
     LIMIT 1
  ) AS l ON true
 ORDER BY own.address
