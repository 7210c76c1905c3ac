-- what: tables without a primary key, unlogged ones, constraints not validated, triggers disabled
-- check: tables
-- scope: database
-- rank: 85
-- servers: 14..18
SELECT 'info', format('%s has no primary key', t.sql_name),
       format('about %s rows; logical replication cannot find rows in it', t.analyzed_rows),
       'measured', NULL
  FROM monitoring.src_tables AS t
 WHERE t.partition_of IS NULL AND t.relkind IN ('r', 'p') AND t.analyzed_rows >= 1000
   AND t.schema_name NOT IN ('monitoring', 'pgdeck')
   AND NOT EXISTS (SELECT FROM pg_index AS i
                    WHERE i.indrelid = t.relid AND (i.indisprimary OR i.indisreplident))
 UNION ALL
SELECT 'info', format('%s is unlogged', t.sql_name),
       'it is empty after a crash and on standbys', 'measured',
       format('ALTER TABLE %s SET LOGGED; -- rewrites it while nobody can write', t.sql_name)
  FROM monitoring.src_tables AS t
  JOIN pg_class AS c ON c.oid = t.relid
 WHERE c.relpersistence = 'u' AND c.relkind = 'r'
 UNION ALL
SELECT 'info', format('constraint %I of %s is not validated', k.conname, t.sql_name),
       'rows from before it may break it', 'measured',
       format('ALTER TABLE %s VALIDATE CONSTRAINT %I;', t.sql_name, k.conname)
  FROM pg_constraint AS k
  JOIN monitoring.src_tables AS t ON t.relid = k.conrelid
 WHERE NOT k.convalidated AND k.conparentid = 0
   AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
 UNION ALL
SELECT 'info', format('trigger %I of %s is disabled', g.tgname, t.sql_name),
       CASE WHEN g.tgisinternal THEN 'a foreign key is not enforced' ELSE 'by somebody''s hand' END,
       'measured', format('ALTER TABLE %s ENABLE TRIGGER %I;', t.sql_name, g.tgname)
  FROM pg_trigger AS g
  JOIN monitoring.src_tables AS t ON t.relid = g.tgrelid
 WHERE g.tgenabled = 'D'
 LIMIT 50;
