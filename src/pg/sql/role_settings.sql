-- what: parameters set by ALTER DATABASE and ALTER ROLE
-- servers: 14..
SELECT coalesce(d.datname, '') AS database, coalesce(r.rolname, '') AS role,
       split_part(s.entry, '=', 1) AS name,
       substr(s.entry, strpos(s.entry, '=') + 1) AS value
  FROM pg_db_role_setting c
  LEFT JOIN pg_database d ON d.oid = c.setdatabase
  LEFT JOIN pg_roles r ON r.oid = c.setrole
 CROSS JOIN LATERAL unnest(c.setconfig) AS s(entry)
 ORDER BY 1, 2, 3
