-- what: how much each index is used, since when that is known, and what it enforces
-- object: view monitoring.v_index_usage
-- servers: 14..18
-- after: monitoring.src_counted_since, monitoring.src_index_scans
-- The indexes of partitions are counted with the partitioned index that they belong to: one of them
-- alone cannot be dropped, and old partitions are idle by nature.
CREATE OR REPLACE VIEW monitoring.v_index_usage AS
WITH RECURSIVE tree (index_oid, root_oid) AS (
    SELECT c.oid, c.oid
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('i', 'I')
       AND NOT c.relispartition
       AND c.relpersistence <> 't'
       AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
     UNION ALL
    SELECT i.inhrelid, t.root_oid
      FROM tree AS t
      JOIN pg_catalog.pg_inherits AS i ON i.inhparent = t.index_oid
), counted AS (
    SELECT t.root_oid,
           pg_catalog.count(*) FILTER (WHERE c.relkind = 'i' AND t.index_oid <> t.root_oid)
               AS partitions,
           coalesce(pg_catalog.sum(s.scans), 0) AS scans,
           coalesce(pg_catalog.sum(s.entries_read), 0) AS entries_read,
           pg_catalog.max(s.last_scan) AS last_scan,
           pg_catalog.sum(CAST(c.relpages AS bigint)) FILTER (WHERE c.relkind = 'i')
               * CAST(pg_catalog.current_setting('block_size') AS bigint) AS about_bytes
      FROM tree AS t
      JOIN pg_catalog.pg_class AS c ON c.oid = t.index_oid
      LEFT JOIN monitoring.src_index_scans AS s ON s.index_oid = t.index_oid
     GROUP BY t.root_oid
), enforced AS (
    SELECT k.conindid AS index_oid,
           pg_catalog.string_agg(DISTINCT
               CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique constraint'
                    WHEN 'x' THEN 'exclusion constraint'
                    ELSE 'foreign keys that point at it' END, ', ') AS what
      FROM pg_catalog.pg_constraint AS k
     WHERE k.conindid <> 0
     GROUP BY k.conindid
), judged AS (
    SELECT c.*, n.nspname, b.relname AS table_name, x.relname AS index_name, i.indisvalid,
           coalesce(e.what, CASE WHEN i.indisunique THEN 'unique index' END,
                    CASE WHEN i.indisreplident THEN 'replica identity' END) AS enforces,
           CASE WHEN c.scans = 0 THEN 'UNUSED'
                WHEN c.scans < 100 * since.days THEN 'LOW'
                WHEN c.scans < 10000 * since.days THEN 'MEDIUM'
                ELSE 'HIGH' END AS usage_category,
           since.counted_since, since.counted_for, i.indexprs IS NOT NULL AS has_expression
      FROM counted AS c
      JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.root_oid
      JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
      JOIN pg_catalog.pg_class AS b ON b.oid = i.indrelid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = b.relnamespace
      LEFT JOIN enforced AS e ON e.index_oid = c.root_oid
     CROSS JOIN (SELECT s.counted_since, s.counted_for,
                        greatest(EXTRACT(epoch FROM s.counted_for) / 86400, 1) AS days
                   FROM monitoring.src_counted_since AS s
                  WHERE s.database_name = pg_catalog.current_database()) AS since
)
SELECT j.nspname AS schema_name,
       j.table_name,
       j.index_name,
       j.usage_category,
       j.scans,
       j.entries_read,
       j.last_scan,
       j.enforces,
       CASE WHEN j.usage_category <> 'UNUSED' THEN 'no: it is used'
            WHEN j.enforces IS NOT NULL THEN 'no: it enforces ' || j.enforces
            WHEN NOT j.indisvalid THEN 'not valid: being built, or left by a build that failed'
            WHEN j.counted_for < interval '7 days'
            THEN 'too early to say: counters cover less than 7 days'
            WHEN j.has_expression
            THEN 'perhaps: but its expression gives the planner statistics; ask the standbys too'
            ELSE 'perhaps: if it is older than the counters and no standby uses it' END
           AS can_be_dropped,
       j.indisvalid AS is_valid,
       j.partitions,
       j.about_bytes,
       j.counted_since,
       j.counted_for
  FROM judged AS j
 ORDER BY j.scans, j.enforces NULLS FIRST, j.about_bytes DESC NULLS LAST,
          j.nspname, j.table_name, j.index_name;

COMMENT ON VIEW monitoring.v_index_usage IS
'Scans of each index since counted_since: UNUSED none, LOW under 100 a day, MEDIUM under 10000 a
day, HIGH more (a shorter time counts as one day). Look for UNUSED together with can_be_dropped;
one that enforces a key is never useless. Scans on standbys are not counted here, nor is the age
of an index known. Indexes of partitions are summed under their partitioned index; about_bytes is
what the last VACUUM or ANALYZE saw.';

GRANT SELECT ON monitoring.v_index_usage TO pg_monitor;
