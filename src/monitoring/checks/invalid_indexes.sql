-- what: indexes left invalid by a build that failed
-- check: invalid indexes
-- scope: database
-- rank: 55
-- servers: 14..18
-- A build in progress is invalid too, and healthy. What REINDEX CONCURRENTLY leaves (_ccnew,
-- _ccold) is only dropped. pg_get_indexdef() waits for locks, so the definition is not shown.
SELECT 'warning',
       CASE WHEN x.relkind = 'I' THEN
            format('partitioned index %I.%I is not valid: not every partition has its part',
                   n.nspname, x.relname)
            ELSE format('index %I.%I on %I is invalid', n.nspname, x.relname, t.relname) END,
       CASE WHEN x.relkind = 'I' THEN 'the planner uses the parts that are there; the key is not '
                                      'enforced as a whole'
            WHEN i.indisready THEN 'no query uses it, every write pays for it'
            ELSE 'no query uses it' END,
       CASE WHEN pg_has_role('pg_read_all_stats', 'USAGE') THEN 'measured'
            ELSE 'builds by other roles are not visible to this role: it may still be being built'
            END,
       CASE WHEN x.relkind = 'I' THEN
            format('SELECT c.oid::regclass FROM pg_partition_tree(%L) AS p JOIN pg_class AS c '
                   'ON c.oid = p.relid WHERE p.isleaf; -- build the index on each that lacks it, '
                   'then ALTER INDEX %I.%I ATTACH PARTITION', format('%I.%I', n.nspname, t.relname),
                   n.nspname, x.relname)
            WHEN x.relname ~ '_cc(new|old)[0-9]*$' THEN
            format('DROP INDEX CONCURRENTLY %I.%I;', n.nspname, x.relname)
            ELSE format('REINDEX INDEX CONCURRENTLY %I.%I;', n.nspname, x.relname) END
  FROM pg_index AS i
  JOIN pg_class AS x ON x.oid = i.indexrelid
  JOIN pg_class AS t ON t.oid = i.indrelid
  JOIN pg_namespace AS n ON n.oid = x.relnamespace
 WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)
   AND x.relpersistence <> 't'
   AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS p
                    WHERE p.datname = current_database()
                      AND (p.index_relid = i.indexrelid OR p.relid = i.indrelid))
 ORDER BY n.nspname, x.relname
 LIMIT 20;
