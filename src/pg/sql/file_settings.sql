-- what: what the configuration files say, in the order in which they are read
-- servers: 14..
SELECT coalesce(sourcefile, '') AS file, coalesce(sourceline, 0) AS line,
       coalesce(name, '') AS name, coalesce(setting, '') AS setting, coalesce(error, '') AS error,
       coalesce(sourcefile LIKE '%/postgresql.auto.conf', false) AS is_auto
  FROM pg_file_settings
 ORDER BY seqno
