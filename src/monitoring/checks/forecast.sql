-- what: sequences and transaction ids that run out soon at the rate of the recorded history
-- check: forecast
-- scope: database
-- rank: 43
-- servers: 14..18
-- From the oldest to the newest sample of the last 30 days, a day apart at least. Transaction ids
-- run out only where autovacuum does not keep up: half again as old as it would let them become.
WITH ends AS (
    SELECT g.kind, g.name, min(g.at) AS since, max(g.at) AS until,
           (array_agg(g.value ORDER BY g.at))[1] AS first,
           (array_agg(g.value ORDER BY g.at DESC))[1] AS last
      FROM monitoring.growth_history AS g
     WHERE g.at > now() - interval '30 days'
     GROUP BY g.kind, g.name
), rate AS (
    SELECT e.*, abs(e.last - e.first) / (extract(epoch FROM e.until - e.since) / 86400)::numeric
                AS a_day
      FROM ends AS e
     WHERE e.until - e.since >= interval '1 day' AND e.last <> e.first
), left_over AS (
    SELECT format('sequence %s', s.sql_name) AS what, r.a_day,
           abs(s.ends_at - s.last_value::numeric) AS room, r.since, s.widen AS fix,
           CASE WHEN s.type_name IN ('int2', 'int4')
                THEN format('ALTER TABLE %s ALTER COLUMN %I TYPE bigint; ', s.column_table,
                            s.column_name) ELSE '' END AS widen_column
      FROM rate AS r
      JOIN monitoring.src_sequences AS s ON s.sql_name = r.name AND s.last_value IS NOT NULL
     WHERE r.kind = 'sequence'
     UNION ALL
    SELECT format('the transaction ids of database %I', d.datname), r.a_day,
           2144483648 - age(d.datfrozenxid), r.since, 'VACUUM (FREEZE);', ''
      FROM rate AS r
      JOIN pg_database AS d ON d.datname = current_database()
     WHERE r.kind = 'transaction ids'
       AND age(d.datfrozenxid)
           > 1.5 * current_setting('autovacuum_freeze_max_age')::bigint
), judged AS (
    SELECT l.*, l.room / l.a_day * interval '1 day' AS runs_out
      FROM left_over AS l
     WHERE l.room / l.a_day < 36500
)
SELECT CASE WHEN j.runs_out < monitoring.threshold('runs_out_critical', '7 days')::interval
            THEN 'critical' ELSE 'warning' END,
       format('%s: used up in %s days at this rate', j.what,
              trunc((extract(epoch FROM j.runs_out) / 86400)::numeric, 1)),
       format('%s left, %s a day since %s', trunc(j.room), trunc(j.a_day),
              date_trunc('second', j.since)),
       'estimate: as it went on between samples', j.widen_column || j.fix
  FROM judged AS j
 WHERE j.runs_out < monitoring.threshold('runs_out_warning', '30 days')::interval
 UNION ALL
SELECT 'info', format('the database grows by %s a day: twice as large in %s days',
                      pg_size_pretty(r.a_day), trunc(r.last / r.a_day)),
       format('%s now, %s on %s; what room the disk has SQL cannot see', pg_size_pretty(r.last),
              pg_size_pretty(r.first), date_trunc('second', r.since)),
       'estimate: as it went on between samples', NULL
  FROM rate AS r
 WHERE r.kind = 'database' AND r.last > r.first AND r.last > 1073741824 AND r.last / r.a_day < 60;
