-- what: copies of databases whose pgdeck was killed: nobody is in them, and no session that makes or
--       drops one bears their name
-- servers: 14..
SELECT d.datname AS name
  FROM pg_database d
 WHERE d.datname ~ '^pgdeck_verify_[0-9]+$'
   AND pg_has_role(d.datdba, 'USAGE')
   AND NOT EXISTS (SELECT FROM pg_stat_activity a
                    WHERE a.datname = d.datname OR a.application_name = d.datname)
