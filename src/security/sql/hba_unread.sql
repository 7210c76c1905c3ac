-- what: files of pg_hba.conf that were changed after the server last read its configuration;
--       superusers only. The server's own clock, in whole seconds
-- servers: 14..
-- returns: one row; files null: none
SELECT string_agg(f.file, ', ' ORDER BY f.file) AS files
  FROM (SELECT current_setting('hba_file') AS file
         UNION
        SELECT to_jsonb(r) ->> 'file_name' FROM pg_hba_file_rules AS r) AS f
 WHERE (pg_stat_file(f.file, true)).modification > pg_conf_load_time()
