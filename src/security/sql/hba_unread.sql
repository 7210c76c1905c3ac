-- what: the files of pg_hba.conf, and whether each was changed after the server last read its
--       configuration; superusers only. The server's own clock
-- servers: 14..
-- returns: file, is_unread (in whole seconds, as the server tells them; null: it is not there),
--          read_us (microseconds since 1970)
SELECT f.file, (pg_stat_file(f.file, true)).modification > pg_conf_load_time() AS is_unread,
       (extract(epoch FROM pg_conf_load_time()) * 1000000)::bigint AS read_us
  FROM (SELECT current_setting('hba_file') AS file
         UNION
        SELECT to_jsonb(r) ->> 'file_name' FROM pg_hba_file_rules AS r) AS f
 WHERE f.file IS NOT NULL
 ORDER BY f.file
