-- what: lines of the configuration files for whose sake the server would read none of them
-- servers: 14..
SELECT coalesce(f.sourcefile, '') AS file, coalesce(f.sourceline, 0) AS line,
       coalesce(f.name, '') AS name, f.error
  FROM pg_file_settings f
 WHERE f.error IS NOT NULL
   AND NOT EXISTS (SELECT FROM pg_settings s WHERE lower(s.name) = lower(f.name))
 ORDER BY f.seqno
