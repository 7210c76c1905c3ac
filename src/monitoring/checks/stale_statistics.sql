-- what: tables whose planner statistics are missing or far behind
-- check: stale statistics
-- scope: database
-- rank: 52
-- servers: 14..18
-- Autovacuum never analyzes a partitioned table itself, only its partitions.
WITH wanted AS (
    SELECT monitoring.threshold('stale_rows_warning', '10000')::bigint AS at_least
), state AS (
    SELECT t.relid, t.root_relid, t.relkind, t.sql_name, t.analyzed_rows, t.analyze_trigger_rows,
           t.autovacuum_on, s.n_live_tup, s.n_mod_since_analyze,
           greatest(s.last_analyze, s.last_autoanalyze) AS last_analyze
      FROM monitoring.src_tables AS t
      LEFT JOIN pg_stat_all_tables AS s ON s.relid = t.relid
), judged AS (
    SELECT s.sql_name, s.n_mod_since_analyze AS changed,
           'planner statistics of %s are far behind' AS finding,
           format('%s rows changed since; autovacuum %s %s; last analyzed %s',
                  s.n_mod_since_analyze,
                  CASE WHEN s.autovacuum_on THEN 'starts at' ELSE 'is off, would start at' END,
                  round(s.analyze_trigger_rows),
                  coalesce(date_trunc('second', s.last_analyze)::text, 'never that is known'))
               AS evidence
      FROM state AS s CROSS JOIN wanted AS w
     WHERE s.relkind <> 'p' AND s.analyzed_rows IS NOT NULL
       AND s.n_mod_since_analyze >= greatest(w.at_least, 2 * s.analyze_trigger_rows)
     UNION ALL
    SELECT s.sql_name, s.n_live_tup, '%s has never been analyzed',
           format('about %s rows, of which the planner knows nothing', s.n_live_tup)
      FROM state AS s CROSS JOIN wanted AS w
     WHERE s.relkind <> 'p' AND s.analyzed_rows IS NULL AND s.n_live_tup >= w.at_least
     UNION ALL
    SELECT s.sql_name, l.live, 'partitioned table %s has never been analyzed',
           format('about %s rows in its partitions; autovacuum analyzes only those', l.live)
      FROM state AS s
      JOIN (SELECT k.root_relid, sum(k.n_live_tup)::bigint AS live
              FROM state AS k WHERE k.relkind <> 'p' GROUP BY k.root_relid) AS l
        ON l.root_relid = s.relid
     CROSS JOIN wanted AS w
     WHERE s.relkind = 'p' AND s.analyzed_rows IS NULL AND l.live >= w.at_least
)
SELECT CASE WHEN j.changed >= monitoring.threshold('stale_rows_critical', '100000000')::bigint
            THEN 'critical' ELSE 'warning' END,
       format(j.finding, j.sql_name), j.evidence, 'estimate: PostgreSQL''s own counter',
       format('ANALYZE %s;', j.sql_name)
  FROM judged AS j
 WHERE NOT EXISTS (SELECT FROM pg_stat_progress_analyze AS a
                    WHERE a.datname = current_database()
                      AND a.relid = (SELECT t.relid FROM monitoring.src_tables AS t
                                      WHERE t.sql_name = j.sql_name))
 ORDER BY j.changed DESC
 LIMIT 20;
