-- what: when the settings of a database, for all roles, were last changed; commit times are kept
--       with track_commit_timestamp only
-- servers: 14..
-- $1 database text
SELECT to_char(pg_xact_commit_timestamp(s.xmin) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
         AS changed_at
  FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
 WHERE s.setrole = 0 AND d.datname = $1
   AND current_setting('track_commit_timestamp')::boolean
