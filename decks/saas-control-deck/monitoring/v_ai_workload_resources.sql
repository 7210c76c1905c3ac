-- what: what the tables of the AI workload take: space, writes, reads from disk, time of statements
-- object: view monitoring.v_ai_workload_resources
-- servers: 14..18
-- needs: table ai_tasks(id)
-- after: monitoring.src_tables, monitoring.statement_counters(with_text boolean)
CREATE OR REPLACE VIEW monitoring.v_ai_workload_resources AS
WITH part AS (
    SELECT t.root_relid,
           pg_catalog.sum(t.about_bytes) AS table_bytes,
           pg_catalog.sum(x.bytes) AS index_bytes,
           pg_catalog.sum(s.n_live_tup) AS live_rows,
           pg_catalog.sum(s.n_dead_tup) AS dead_rows,
           pg_catalog.sum(s.n_tup_ins + s.n_tup_upd + s.n_tup_del) AS rows_written,
           pg_catalog.sum(io.heap_blks_read + coalesce(io.idx_blks_read, 0)) AS blocks_read,
           pg_catalog.sum(io.heap_blks_hit + coalesce(io.idx_blks_hit, 0)) AS blocks_hit
      FROM monitoring.src_tables AS t
      LEFT JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = t.relid
      LEFT JOIN pg_catalog.pg_statio_all_tables AS io ON io.relid = t.relid
      LEFT JOIN LATERAL (
            SELECT pg_catalog.sum(CAST(c.relpages AS bigint))
                   * CAST(pg_catalog.current_setting('block_size') AS bigint) AS bytes
              FROM pg_catalog.pg_index AS i
              JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
             WHERE i.indrelid = t.relid) AS x ON true
     GROUP BY t.root_relid
), statement AS MATERIALIZED (
    SELECT s.calls, s.total_ms, s.query
      FROM monitoring.statement_counters(true) AS s
     WHERE s.database_oid = (SELECT d.oid FROM pg_catalog.pg_database AS d
                              WHERE d.datname = pg_catalog.current_database())
)
SELECT r.schema_name,
       r.table_name,
       p.table_bytes,
       p.index_bytes,
       p.live_rows,
       p.dead_rows,
       p.rows_written,
       pg_catalog.trunc(100.0 * p.rows_written
           / nullif((SELECT pg_catalog.sum(o.rows_written) FROM part AS o), 0), 1)
           AS written_share_percent,
       p.blocks_read,
       pg_catalog.trunc(100.0 * p.blocks_hit / nullif(p.blocks_hit + p.blocks_read, 0), 2)
           AS cache_hit_percent,
       q.calls AS statement_calls,
       pg_catalog.round(CAST(q.total_ms AS numeric), 1) AS statement_ms,
       pg_catalog.trunc(CAST(100 * q.total_ms
           / nullif((SELECT pg_catalog.sum(o.total_ms) FROM statement AS o), 0) AS numeric), 1)
           AS statement_share_percent
  FROM part AS p
  JOIN monitoring.src_tables AS r ON r.relid = p.root_relid
 CROSS JOIN LATERAL (
        SELECT pg_catalog.sum(s.calls) AS calls, pg_catalog.sum(s.total_ms) AS total_ms
          FROM statement AS s
         WHERE s.query ~ ('\m' || CAST(r.table_name AS text) || '\M')) AS q
 WHERE r.table_name ~ '^ai_[a-z_]+$'
 ORDER BY coalesce(p.table_bytes, 0) + coalesce(p.index_bytes, 0) DESC, r.schema_name, r.table_name;

COMMENT ON VIEW monitoring.v_ai_workload_resources IS
'What each table of the AI workload takes, partitions summed. Look for a written_share_percent that
outgrows its use, index_bytes above table_bytes, and the statement_share_percent of one table: time
of all statements that name it, so that a join counts for each of its tables. Sizes are as the last
VACUUM or ANALYZE saw them.';

GRANT SELECT ON monitoring.v_ai_workload_resources TO pg_monitor;
