-- what: the settings that a database has of its own, as ALTER DATABASE would take them again; lists
--   (search_path and the like) and what needs the server's own files are left out
-- servers: 14..
-- $1 database text
-- returns: name, value
SELECT split_part(entry, '=', 1) AS name, substr(entry, strpos(entry, '=') + 1) AS value
FROM pg_db_role_setting AS s
JOIN pg_database AS d ON d.oid = s.setdatabase
CROSS JOIN LATERAL unnest(s.setconfig) AS entry
WHERE d.datname = $1 AND s.setrole = 0
  AND split_part(entry, '=', 1) NOT IN
      ('search_path', 'session_preload_libraries', 'local_preload_libraries', 'temp_tablespaces')
ORDER BY 1;
