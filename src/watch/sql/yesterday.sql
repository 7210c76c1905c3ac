-- what: how long each statement took a day ago
-- servers: 14..18
SELECT h.query_id, h.role_oid, sum(h.total_ms) / sum(h.calls) AS mean_ms
  FROM monitoring.statement_history AS h
 WHERE h.at > pg_catalog.now() - interval '25 hours'
   AND h.at <= pg_catalog.now() - interval '23 hours'
   AND h.query_id <> 0
 GROUP BY 1, 2;
