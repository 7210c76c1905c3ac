-- what: where this server's Unix socket is; no row where the role may not know
-- servers: 14..
-- returns: folder (null: it has none), port
SELECT nullif(split_part(f.setting, ',', 1), '') AS folder, p.setting AS port
FROM pg_settings AS f, pg_settings AS p
WHERE f.name = 'unix_socket_directories' AND p.name = 'port';
