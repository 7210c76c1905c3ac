-- what: statements that other sessions of this database run, or ran last, with their constants
-- servers: 14..
SELECT DISTINCT a.query
  FROM pg_stat_activity a
 WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
   AND a.query <> '' AND a.query <> '<insufficient privilege>'
   AND length(a.query) < pg_size_bytes(current_setting('track_activity_query_size')) - 1
 LIMIT 1000
