-- what: statements that take much longer than they used to
-- check: query slowdown
-- scope: database
-- rank: 42
-- servers: 14..18
-- The mean of the last hour against that of the week before it, from the recorded history; 20 runs
-- of both at least, and 10 ms of difference. Another plan is the usual reason.
WITH mean AS (
    SELECT h.query_id,
           sum(h.calls) FILTER (WHERE h.at > now() - interval '1 hour') AS calls,
           sum(h.total_ms) FILTER (WHERE h.at > now() - interval '1 hour')
               / nullif(sum(h.calls) FILTER (WHERE h.at > now() - interval '1 hour'), 0) AS now_ms,
           sum(h.calls) FILTER (WHERE h.at <= now() - interval '1 hour') AS calls_before,
           sum(h.total_ms) FILTER (WHERE h.at <= now() - interval '1 hour')
               / nullif(sum(h.calls) FILTER (WHERE h.at <= now() - interval '1 hour'), 0)
               AS before_ms
      FROM monitoring.statement_history AS h
     WHERE h.at > now() - interval '7 days' AND h.query_id <> 0
     GROUP BY h.query_id
)
SELECT CASE WHEN m.now_ms >= m.before_ms
                             * monitoring.threshold('query_slowdown_critical', '10')::numeric
            THEN 'critical' ELSE 'warning' END,
       format('statement %s takes %s times as long as it did', m.query_id,
              trunc((m.now_ms / m.before_ms)::numeric, 1)),
       format('%s ms in the last hour (%s runs), %s ms in the week before: %s',
              round(m.now_ms::numeric, 1), m.calls, round(m.before_ms::numeric, 1),
              left(t.query, 150)),
       'measured by samples',
       format('SELECT hour, calls, mean_ms, cache_hit_percent, temp_blocks FROM '
              'monitoring.v_query_performance_trends WHERE query_id = %s; -- since when? Then '
              'pgdeck explain %1$s', m.query_id)
  FROM mean AS m
  LEFT JOIN monitoring.query_texts AS t ON t.query_id = m.query_id
 WHERE m.calls >= 20 AND m.calls_before >= 20 AND m.now_ms - m.before_ms >= 10
   AND m.now_ms >= m.before_ms * monitoring.threshold('query_slowdown_warning', '3')::numeric
 ORDER BY (m.now_ms - m.before_ms) * m.calls DESC
 LIMIT 10;
