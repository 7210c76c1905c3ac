-- what: every index that is no part of a partitioned one, with what it is, is for, and costs; the
--       figures of a partitioned index are those of its parts together
-- servers: 14..
WITH top AS (
  SELECT i.*, c.relname, c.relkind, c.relam, c.reloptions, c.reltablespace, c.relnamespace
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pgdeck')
     AND NOT starts_with(n.nspname, 'pg_toast') AND NOT starts_with(n.nspname, 'pg_temp')
), part AS (
  SELECT t.indexrelid AS top_oid, t.indexrelid AS oid, t.indrelid AS table_oid
    FROM top t WHERE t.relkind = 'i'
  UNION ALL
  SELECT t.indexrelid, m.relid, i.indrelid
    FROM top t
   CROSS JOIN LATERAL pg_partition_tree(t.indexrelid) AS m
    JOIN pg_index i ON i.indexrelid = m.relid
   WHERE t.relkind = 'I' AND m.isleaf
), figure AS (
  SELECT p.top_oid, array_agg(p.oid) AS parts,
         sum(pg_relation_size(p.oid)) AS size_bytes,
         sum(pg_stat_get_numscans(p.oid)) AS scans,
         sum(greatest(c.reltuples, 0)) AS entries, bool_and(c.reltuples >= 0) AS is_analysed,
         sum(pg_relation_size(p.oid) * w.entries) AS written_bytes,
         sum(pg_relation_size(p.table_oid) * w.rows + pg_indexes_size(p.table_oid) * w.entries)
           AS table_written_bytes
    FROM part p
    JOIN pg_class c ON c.oid = p.oid
   CROSS JOIN LATERAL (SELECT pg_stat_get_tuples_inserted(p.table_oid)
                                + pg_stat_get_tuples_updated(p.table_oid) AS rows,
                              pg_stat_get_tuples_inserted(p.table_oid)
                                + pg_stat_get_tuples_updated(p.table_oid)
                                - pg_stat_get_tuples_hot_updated(p.table_oid) AS entries) AS w
   GROUP BY p.top_oid
), key AS ( -- all that makes one column of an index another than the next
  SELECT t.indexrelid AS oid,
         array_agg(format('%s %s.%s%s %s %s', pg_get_indexdef(t.indexrelid, a.attnum, false),
                          opn.nspname, op.opcname, a.attoptions, a.attcollation,
                          t.indoption[a.attnum - 1]) ORDER BY a.attnum) AS keys
    FROM top t
    JOIN pg_attribute a ON a.attrelid = t.indexrelid AND a.attnum <= t.indnkeyatts
    JOIN pg_opclass op ON op.oid = t.indclass[a.attnum - 1]
    JOIN pg_namespace opn ON opn.oid = op.opcnamespace
   GROUP BY t.indexrelid
), extra AS (
  SELECT t.indexrelid AS oid, format('COMMENT ON INDEX %I.%I IS NULL;', n.nspname, t.relname) AS off,
         format('COMMENT ON INDEX %I.%I IS %L;', n.nspname, t.relname, c.description) AS on
    FROM top t
    JOIN pg_namespace n ON n.oid = t.relnamespace
    JOIN pg_description c ON (c.classoid, c.objoid, c.objsubid) =
                             ('pg_class'::regclass, t.indexrelid, 0)
  UNION ALL
  SELECT t.indexrelid,
         format('ALTER INDEX %I.%I ALTER COLUMN %s SET STATISTICS -1;', n.nspname, t.relname, a.attnum),
         format('ALTER INDEX %I.%I ALTER COLUMN %s SET STATISTICS %s;', n.nspname, t.relname,
                a.attnum, a.attstattarget)
    FROM top t
    JOIN pg_namespace n ON n.oid = t.relnamespace
    JOIN pg_attribute a ON a.attrelid = t.indexrelid AND a.attstattarget >= 0
                       AND t.indkey[a.attnum - 1] = 0 -- only expressions can have one
)
SELECT t.indexrelid AS oid, t.indrelid AS table_oid, cn.nspname AS schema, t.relname AS name,
       tn.nspname AS table_schema, tc.relname AS "table", t.relkind AS kind, am.amname AS method,
       d.definition,
       -- from USING on, as in indexes.sql, but with the tablespace
       CASE WHEN t.indisunique THEN 'UNIQUE ' ELSE '' END
         || CASE WHEN t.reltablespace = 0 THEN d.rest
                 ELSE left(d.rest, length(d.rest) - length(d.tail))
                      || format(' TABLESPACE %I', ts.spcname) || d.tail END AS canonical,
       key.keys,
       ARRAY(SELECT format('%I', a.attname) FROM pg_attribute a
              WHERE a.attrelid = t.indexrelid AND a.attnum > t.indnkeyatts ORDER BY a.attnum)
         AS included,
       -- the same column as part of the key, whatever its order and operators
       ARRAY(SELECT pg_get_indexdef(t.indexrelid, n, false) FROM generate_series(1, t.indnkeyatts) n)
         AS key_columns,
       coalesce(pg_get_expr(t.indpred, t.indrelid), '') AS predicate,
       array_to_string(t.reloptions, ', ') AS parameters,
       -- what CREATE INDEX does not bring back: how it is taken off, and put on
       (SELECT string_agg(x.off, ' ') FROM extra x WHERE x.oid = t.indexrelid) AS extra_off,
       (SELECT string_agg(x.on, ' ') FROM extra x WHERE x.oid = t.indexrelid) AS extra_on,
       t.indisunique AS is_unique, t.indimmediate AS is_immediate,
       coalesce(to_jsonb(t) ->> 'indnullsnotdistinct', 'false')::boolean AS has_equal_nulls,
       t.indisvalid AND t.indisready AND t.indislive AS is_valid,
       coalesce(k.conname, '') AS constraint_name, coalesce(k.contype::text, '') AS constraint_type,
       t.indisreplident OR (t.indisprimary AND tc.relreplident = 'd') AS is_replica_identity,
       t.indisclustered AS is_clustered,
       EXISTS (SELECT FROM pg_depend e WHERE e.deptype = 'e'
                  AND (e.classid, e.objid) IN (('pg_class'::regclass, t.indexrelid),
                                               ('pg_class'::regclass, t.indrelid))) AS is_extension,
       coalesce((SELECT min(f.conname::text) FROM pg_constraint f
                  WHERE f.conindid = t.indexrelid AND f.contype = 'f'), '') AS referenced_by,
       -- a foreign key of which this index has all columns in front, or at least one as the first
       coalesce((SELECT min(f.conname::text) FROM pg_constraint f
                  WHERE f.conrelid = t.indrelid AND f.contype = 'f'
                    AND am.amname IN ('btree', 'hash')
                    AND t.indkey[0] = ANY (f.conkey)), '') AS foreign_key,
       EXISTS (SELECT FROM pg_stat_progress_create_index b
                WHERE b.datid = (SELECT oid FROM pg_database WHERE datname = current_database())
                  AND (b.index_relid = ANY (g.parts) OR b.index_relid = t.indexrelid))
         AS is_being_built,
       coalesce(cardinality(g.parts), 0) AS part_count,
       coalesce(g.size_bytes, 0) AS size_bytes, coalesce(g.scans, 0) AS scans,
       g.parts, g.written_bytes::float8 / nullif(g.table_written_bytes, 0)::float8 AS write_share
  FROM top t
  JOIN pg_class tc ON tc.oid = t.indrelid
  JOIN pg_namespace tn ON tn.oid = tc.relnamespace
  JOIN pg_namespace cn ON cn.oid = t.relnamespace
  JOIN pg_am am ON am.oid = t.relam
  JOIN key ON key.oid = t.indexrelid
  LEFT JOIN pg_tablespace ts ON ts.oid = t.reltablespace
  LEFT JOIN figure g ON g.top_oid = t.indexrelid
  LEFT JOIN pg_constraint k ON k.conindid = t.indexrelid AND k.conrelid = t.indrelid
                           AND k.contype IN ('p', 'u', 'x')
 CROSS JOIN LATERAL (
   SELECT text AS definition,
          substr(text, length(format('CREATE %sINDEX %I ON %s%I.%I ',
                                     CASE WHEN t.indisunique THEN 'UNIQUE ' END, t.relname,
                                     CASE WHEN t.relkind = 'I' THEN 'ONLY ' END,
                                     tn.nspname, tc.relname)) + 1) AS rest,
          coalesce(' WHERE ' || pg_get_expr(t.indpred, t.indrelid), '') AS tail
     FROM pg_get_indexdef(t.indexrelid) AS text) AS d
 ORDER BY tn.nspname, tc.relname, tc.oid, t.relname, t.indexrelid
