-- what: how much of each B-tree index is empty space, as an estimate, and how sure that is
-- object: view monitoring.v_index_bloat
-- servers: 14..18
-- after: monitoring.src_tables
-- The size that a new build would have, from the planner's statistics: a leaf page of block_size
-- holds its 24 bytes of header, 16 of special space and, at fillfactor 90, entries of 8 bytes of
-- header, 4 of line pointer and the key padded to 8. Equal keys are stored once with 6 bytes a row
-- where the types allow it (deduplication). Of wide keys a page holds a whole number, one at
-- least, which at a low fillfactor leaves much of it empty; inner pages are filled to 70 percent.
-- Where no value of a column is in the statistics all were too wide for them, and where there is a
-- TOAST table their width is not known. The number of distinct keys is at most the product of those
-- of the columns: taken at that most, the estimate of a new build errs towards large, i.e. towards
-- less bloat. Measured in tests against REINDEX.
CREATE OR REPLACE VIEW monitoring.v_index_bloat AS
WITH btree AS (
    SELECT i.indexrelid, i.indrelid, i.indisunique, i.indnkeyatts, i.indnatts, x.relname,
           x.reltuples, x.relpages, x.reloptions, t.oid AS table_oid, t.relname AS table_name,
           n.nspname, n.oid AS schema_oid, i.indkey
      FROM pg_catalog.pg_index AS i
      JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
      JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
      JOIN pg_catalog.pg_am AS m ON m.oid = x.relam
     WHERE m.amname = 'btree' AND x.relkind = 'i' AND i.indisvalid AND i.indisready
       AND x.relpersistence <> 't'
       AND x.relpages > 1
       AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
), entry AS (
    SELECT b.indexrelid,
           pg_catalog.count(*) FILTER (WHERE s.avg_width IS NULL) AS without_statistics,
           pg_catalog.bool_or(a.attlen < 0 AND s.null_frac < 1 AND s.histogram_bounds IS NULL
                              AND s.most_common_vals IS NULL AND toast.relpages > 0) AS is_toasted,
           pg_catalog.sum(s.avg_width * (1 - s.null_frac)) AS key_bytes,
           pg_catalog.bool_or(s.null_frac > 0) AS has_nulls,
           pg_catalog.bool_and(t.typcategory IN ('N', 'S', 'D', 'B', 'U', 'E', 'I')
                               AND t.typname NOT IN ('numeric', 'float4', 'float8', 'jsonb',
                                                     'interval', 'bpchar')
                               AND (a.attcollation = 0 OR l.collisdeterministic)) AS is_equal_image,
           pg_catalog.exp(pg_catalog.sum(pg_catalog.ln(greatest(1, CAST(
               CASE WHEN s.n_distinct < 0 THEN -s.n_distinct * greatest(b.reltuples, 1)
                    ELSE s.n_distinct END + CASE WHEN s.null_frac > 0 THEN 1 ELSE 0 END
               AS double precision))))) AS distinct_keys
      FROM btree AS b
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = b.indexrelid
      JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
      JOIN pg_catalog.pg_class AS c ON c.oid = b.indrelid
      LEFT JOIN pg_catalog.pg_class AS toast ON toast.oid = c.reltoastrelid
      LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = a.attcollation
      LEFT JOIN pg_catalog.pg_attribute AS k
        ON k.attrelid = b.indrelid AND k.attnum = b.indkey[a.attnum - 1] AND k.attnum > 0
      LEFT JOIN pg_catalog.pg_stats AS s
        ON s.schemaname = b.nspname
       AND s.tablename = CASE WHEN k.attname IS NULL THEN b.relname ELSE b.table_name END
       AND s.attname = coalesce(k.attname, a.attname)
       AND NOT s.inherited
     GROUP BY b.indexrelid
), sized AS (
    SELECT b.*, e.without_statistics, e.is_toasted, u.n_mod_since_analyze, u.n_live_tup,
           greatest(u.last_analyze, u.last_autoanalyze) AS last_analyze,
           CAST(pg_catalog.current_setting('block_size') AS integer) AS block,
           coalesce((SELECT CAST(o.option_value AS integer)
                       FROM pg_catalog.pg_options_to_table(b.reloptions) AS o
                      WHERE o.option_name = 'fillfactor'), 90) AS fillfactor,
           8 * pg_catalog.ceil((8 + CASE WHEN e.has_nulls THEN 8 ELSE 0 END + e.key_bytes) / 8) + 4
               AS entry_bytes,
           CASE WHEN e.is_equal_image AND NOT b.indisunique AND b.indnatts = b.indnkeyatts
                THEN least(e.distinct_keys, greatest(b.reltuples, 1))
                ELSE greatest(b.reltuples, 1) END AS keys
      FROM btree AS b
      JOIN entry AS e ON e.indexrelid = b.indexrelid
      LEFT JOIN pg_catalog.pg_stat_all_tables AS u ON u.relid = b.indrelid
), estimate AS (
    SELECT s.*,
           2 + pg_catalog.ceil(1.01 * (1 + 1 / (greatest(2, pg_catalog.floor(
               0.7 * s.block / s.entry_bytes)) - 1)) * greatest((s.keys * s.entry_bytes
               + greatest(s.reltuples - s.keys, 0) * 6.5)
               / ((s.block - 40) * s.fillfactor / 100.0),
               s.keys / greatest(1, pg_catalog.floor(
                   (s.block * s.fillfactor / 100.0 - 40) / s.entry_bytes)))) AS new_pages
      FROM sized AS s
), judged AS (
    SELECT e.*,
           CASE WHEN NOT pg_catalog.has_table_privilege(e.table_oid, 'SELECT')
                     AND e.without_statistics > 0
                THEN 'not measurable with this role: it cannot read the planner statistics of this '
                     'table (SELECT on it is needed)'
                WHEN e.reltuples < 0 OR e.without_statistics > 0
                THEN 'not measurable: the table has never been analyzed'
                WHEN e.is_toasted
                THEN 'not measurable: its values are kept out of line (TOAST), of which planner '
                     'statistics have the pointers only'
                WHEN e.n_mod_since_analyze > 0.2 * greatest(e.n_live_tup, 1000)
                THEN 'not measurable now: a fifth of the table or more changed since it was '
                     'analyzed' END AS problem
      FROM estimate AS e
)
SELECT j.nspname AS schema_name,
       j.table_name,
       j.relname AS index_name,
       CAST(j.relpages AS bigint) * j.block AS about_bytes,
       CASE WHEN j.problem IS NULL
            THEN CAST(greatest(j.relpages - j.new_pages, 0) * j.block AS bigint) END
           AS bloat_bytes,
       CASE WHEN j.problem IS NULL
            THEN pg_catalog.trunc(CAST(greatest(100.0 * (j.relpages - j.new_pages) / j.relpages, 0)
                                       AS numeric), 1) END AS bloat_percent,
       coalesce(j.problem, 'estimate from planner statistics of '
                || coalesce(CAST(pg_catalog.date_trunc('second', j.last_analyze) AS text),
                            'an unknown time')) AS basis,
       pg_catalog.format('REINDEX INDEX CONCURRENTLY %I.%I;', j.nspname, j.relname) AS rebuild_sql
  FROM judged AS j
 ORDER BY bloat_bytes DESC NULLS LAST, about_bytes DESC, j.nspname, j.relname;

COMMENT ON VIEW monitoring.v_index_bloat IS
'Empty space in each B-tree index, as an estimate. Look for a bloat_percent above 50 together with
bloat_bytes that matter (over 100 MB): rebuild_sql makes it anew without blocking writes; it needs
the space of the new index meanwhile. Some 10 to 30 percent is normal for an index that is written
to. Sizes are as the last VACUUM or ANALYZE saw them; basis says when that was, or why nothing can
be said: a role with pg_monitor only cannot read statistics of tables that it may not read.';

GRANT SELECT ON monitoring.v_index_bloat TO pg_monitor;
