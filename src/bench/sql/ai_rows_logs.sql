-- what: rows to be inserted as log lines, of several services
-- servers: 14..
-- variables: rows (the table), count
CREATE TEMPORARY TABLE :"rows" ON COMMIT DROP AS
SELECT 'service_' || i % 8 AS service, CASE WHEN i % 33 = 0 THEN 'ERROR' ELSE 'INFO' END AS level,
       format('GET /v1/tasks answered 200 in %s ms', i % 180) AS message,
       format('{"request": "%s", "host": "node-%s"}', i * 7919, i % 12)::jsonb AS context
  FROM generate_series(1, :count) AS i;
