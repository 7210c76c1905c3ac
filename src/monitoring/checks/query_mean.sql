-- what: statements whose mean over the last hour is above the limit
-- check: query mean
-- scope: database
-- rank: 40
-- servers: 14..18
-- From the recorded history, at least 5 runs; without history there are no intervals.
SELECT CASE WHEN q.mean_ms >= q.critical_ms THEN 'critical' ELSE 'warning' END,
       format('statement %s took %s ms on average', q.query_id, round(q.mean_ms::numeric, 1)),
       format('%s runs in the last hour: %s', q.calls, left(t.query, 150)), 'measured by samples',
       format('SELECT hour, calls, mean_ms, cache_hit_percent, temp_blocks FROM '
              'monitoring.v_query_performance_trends WHERE query_id = %s; -- since when? Then '
              'pgdeck explain %1$s', q.query_id)
  FROM (SELECT h.query_id, sum(h.calls) AS calls, sum(h.total_ms) / sum(h.calls) AS mean_ms,
               1000 * extract(epoch FROM
                   monitoring.threshold('query_mean_warning', '1 s')::interval) AS warning_ms,
               1000 * extract(epoch FROM
                   monitoring.threshold('query_mean_critical', '5 s')::interval) AS critical_ms
          FROM monitoring.statement_history AS h
         WHERE h.at > now() - interval '1 hour' AND h.query_id <> 0
         GROUP BY h.query_id
        HAVING sum(h.calls) >= 5) AS q
  LEFT JOIN monitoring.query_texts AS t ON t.query_id = q.query_id
 WHERE q.mean_ms >= q.warning_ms
 ORDER BY q.mean_ms * q.calls DESC
 LIMIT 10;
