-- what: the figures of the last day that were written before
-- servers: 14..18
SELECT extract(epoch FROM h.at) AS at, h.name, pg_catalog.array_to_string(h.sums, ' ', '*') AS sums
  FROM monitoring.target_history AS h
 WHERE h.at > pg_catalog.now() - interval '1 day'
 LIMIT 5000;
