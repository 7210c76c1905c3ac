-- what: large tables that are read whole again and again
-- check: sequential scans
-- scope: database
-- rank: 74
-- servers: 14..18
SELECT 'info', format('%s was read whole %s times', t.sql_name, s.seq_scan),
       format('about %s rows each; %s index scans', round(s.seq_tup_read::numeric / s.seq_scan),
              coalesce(s.idx_scan, 0)),
       'measured; a report that needs every row is none of it',
       format('SELECT query_id, calls, mean_ms, query FROM monitoring.v_slow_queries '
              'WHERE query ILIKE %L; -- which column is searched for? It wants an index',
              '%' || t.table_name || '%')
  FROM monitoring.src_tables AS t
  JOIN pg_stat_all_tables AS s ON s.relid = t.relid
 WHERE s.seq_scan >= 100 AND s.seq_tup_read / s.seq_scan >= 20000
   AND s.seq_scan > coalesce(s.idx_scan, 0) / 10
 ORDER BY s.seq_tup_read DESC
 LIMIT 10;
