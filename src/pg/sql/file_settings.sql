-- what: what postgresql.auto.conf says; the last entry of a name counts
-- servers: 14..
SELECT DISTINCT ON (name) name, setting
  FROM pg_file_settings
 WHERE sourcefile LIKE '%/postgresql.auto.conf'
 ORDER BY name, seqno DESC
