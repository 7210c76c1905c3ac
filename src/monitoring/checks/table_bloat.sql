-- what: tables that are mostly empty space
-- check: table bloat
-- scope: database
-- rank: 65
-- servers: 14..18
-- The pages that the live rows would fill, from the planner's statistics: 24 bytes of header (and
-- the null bitmap), values at their mean width, both padded to 8, and 4 of line pointer, in pages
-- of block_size less 24 at the table's fillfactor. From 5 MB of empty space on. Said of nothing
-- that was analyzed too long ago.
WITH width AS (
    SELECT s.schemaname, s.tablename, count(*) AS columns, bool_or(s.null_frac > 0) AS has_nulls,
           sum(s.avg_width * (1 - s.null_frac)) AS bytes
      FROM pg_stats AS s
     WHERE NOT s.inherited
     GROUP BY s.schemaname, s.tablename
), heap AS (
    SELECT t.relid, t.sql_name, c.relpages, c.reltuples, w.columns, w.bytes, w.has_nulls,
           has_table_privilege(t.relid, 'SELECT') AS readable,
           (SELECT count(*) FROM pg_attribute AS a
             WHERE a.attrelid = t.relid AND a.attnum > 0 AND NOT a.attisdropped) AS all_columns,
           coalesce((SELECT o.option_value::integer FROM pg_options_to_table(c.reloptions) AS o
                      WHERE o.option_name = 'fillfactor'), 100) AS fillfactor,
           u.n_mod_since_analyze, u.n_live_tup,
           greatest(u.last_analyze, u.last_autoanalyze) AS last_analyze
      FROM monitoring.src_tables AS t
      JOIN pg_class AS c ON c.oid = t.relid
      LEFT JOIN pg_stat_all_tables AS u ON u.relid = t.relid
      LEFT JOIN width AS w ON w.schemaname = t.schema_name AND w.tablename = t.table_name
     WHERE t.relkind IN ('r', 'm')
       AND c.relpages * current_setting('block_size')::bigint >= 5242880
), estimate AS (
    SELECT h.*, current_setting('block_size')::bigint AS block,
           ceil(greatest(h.reltuples, 0) * (28 + 8 * ceil((h.bytes
                + CASE WHEN h.has_nulls THEN h.all_columns / 8.0 ELSE 0 END) / 8))
                / ((current_setting('block_size')::integer - 24) * h.fillfactor / 100.0)) AS pages
      FROM heap AS h
     WHERE h.columns = h.all_columns AND h.reltuples >= 0
       AND coalesce(h.n_mod_since_analyze, 0) <= 0.2 * greatest(h.n_live_tup, 1000)
), judged AS (
    SELECT e.*, trunc((100.0 * (e.relpages - e.pages) / e.relpages)::numeric, 1) AS percent
      FROM estimate AS e
)
SELECT CASE WHEN j.percent >= monitoring.threshold('table_bloat_critical', '90')::numeric
            THEN 'critical' ELSE 'warning' END,
       format('table %s is %s %% empty space', j.sql_name, j.percent),
       format('%s of %s', pg_size_pretty(((j.relpages - j.pages) * j.block)::bigint),
              pg_size_pretty(j.relpages * j.block)),
       format('estimate from planner statistics of %s',
              coalesce(date_trunc('second', j.last_analyze)::text, 'an unknown time')),
       format('VACUUM (FULL, ANALYZE) %s; -- nobody can read it meanwhile; pg_repack does it '
              'without that', j.sql_name)
  FROM judged AS j
 WHERE j.percent >= monitoring.threshold('table_bloat_warning', '50')::numeric
   AND (j.relpages - j.pages) * j.block >= 5242880
 UNION ALL
SELECT 'unknown', format('bloat of %s tables cannot be told', count(*)),
       format('%I may not read them, and so not their planner statistics', current_user),
       'not measurable with this role', NULL
  FROM heap AS h
 WHERE NOT h.readable AND h.columns IS NULL
HAVING count(*) > 0;
