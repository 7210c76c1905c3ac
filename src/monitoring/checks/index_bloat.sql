-- what: B-tree indexes that are mostly empty space
-- check: index bloat
-- scope: database
-- rank: 66
-- servers: 14..18
-- From 5 MB of empty space on.
SELECT CASE WHEN b.bloat_percent >= monitoring.threshold('index_bloat_critical', '90')::numeric
            THEN 'critical' ELSE 'warning' END,
       format('index %I.%I is %s %% empty space', b.schema_name, b.index_name, b.bloat_percent),
       format('%s of %s, on %I.%I', pg_size_pretty(b.bloat_bytes), pg_size_pretty(b.about_bytes),
              b.schema_name, b.table_name),
       b.basis, b.rebuild_sql
  FROM monitoring.v_index_bloat AS b
 WHERE b.bloat_percent >= monitoring.threshold('index_bloat_warning', '50')::numeric
   AND b.bloat_bytes >= 5242880
 UNION ALL
SELECT 'unknown', format('bloat of %s indexes cannot be told', count(*)),
       min(b.basis), 'not measurable with this role', NULL
  FROM monitoring.v_index_bloat AS b
 WHERE b.basis LIKE 'not measurable with this role%' AND b.about_bytes >= 5242880
HAVING count(*) > 0;
