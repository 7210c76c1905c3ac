-- what: since when the figures of this database have been counted. A crash empties them without
--       a trace in the database's own row, but not in those of the whole server.
-- servers: 14..
SELECT to_char(s.since, 'YYYY-MM-DD HH24:MI') AS since,
       floor(extract(epoch FROM now() - s.since))::bigint AS age_seconds
  FROM (SELECT greatest((SELECT stats_reset FROM pg_stat_database
                          WHERE datname = current_database()),
                        least((SELECT stats_reset FROM pg_stat_bgwriter),
                              (SELECT stats_reset FROM pg_stat_archiver))) AS since) AS s
