-- what: how this session came in: its address, and the line of pg_hba.conf that let it in;
--       superusers only
-- servers: 14..
-- returns: one row; address null: through the socket; method null: the line cannot be told
WITH own AS (
    SELECT inet_client_addr() AS address,
           EXISTS (SELECT FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl) AS has_tls
), line AS (
    SELECT r.line_number, r.type, r.auth_method, r.options, r.address, r.netmask
      FROM pg_hba_file_rules AS r CROSS JOIN own
     WHERE r.error IS NULL
       AND r.type IN ('host', CASE WHEN own.has_tls THEN 'hostssl' ELSE 'hostnossl' END)
       AND (r.database && ARRAY['all', current_database()::text])
       AND (r.user_name && ARRAY['all', session_user::text])
       AND CASE WHEN r.address = 'all' THEN true
                WHEN r.netmask IS NULL OR r.address !~ '^[0-9a-fA-F.:]+$' THEN false
                WHEN family(r.address::inet) <> family(own.address) THEN false
                ELSE host(own.address & r.netmask::inet)::inet
                     = host(r.address::inet & r.netmask::inet)::inet END
)
SELECT host(own.address) || CASE family(own.address) WHEN 4 THEN '/32' ELSE '/128' END AS address,
       CASE WHEN own.has_tls THEN 'hostssl' ELSE 'host' END AS type,
       l.auth_method AS method, coalesce(array_to_string(l.options, ' '), '') AS options,
       session_user AS role, current_setting('hba_file') AS file
  FROM own LEFT JOIN (SELECT * FROM line ORDER BY line_number LIMIT 1) AS l ON true
