-- what: who others wait for, and the statement that ends it
-- servers: 14..18
SELECT b.pid, b.usename, b.datname, b.state, now() - b.xact_start AS transaction_age,
       count(*) AS waiting, format('SELECT pg_terminate_backend(%s);', b.pid) AS mend,
       left(b.query, 200) AS query
  FROM pg_stat_activity AS w
 CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS u (pid)
  JOIN pg_stat_activity AS b ON b.pid = u.pid
 WHERE w.wait_event_type = 'Lock' AND cardinality(pg_blocking_pids(b.pid)) = 0
 GROUP BY b.pid, b.usename, b.datname, b.state, b.xact_start, b.query
 ORDER BY waiting DESC;
