-- what: what runs now, the longest first; pgdeck explain QUERYID says what is wrong with one
-- servers: 14..18
SELECT pid, now() - query_start AS took, state, wait_event_type, wait_event, query
  FROM pg_stat_activity
 WHERE backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid()
 ORDER BY query_start;
