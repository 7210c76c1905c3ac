-- what: ordinary and partitioned tables outside of system schemas and extensions
-- servers: 14..
-- returns: columns named stat_* are left out of the fingerprint
SELECT c.oid, n.nspname AS schema, c.relname AS name, pg_get_userbyid(c.relowner) AS owner,
       c.relkind AS kind,
       CASE WHEN c.relispartition
            THEN (SELECT i.inhparent FROM pg_inherits i WHERE i.inhrelid = c.oid LIMIT 1)
            ELSE 0 END AS parent_oid,
       coalesce(p.partstrat::text, '') AS partition_strategy,
       CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) ELSE '' END AS partition_key,
       -- bounds hold no column: with 0 for the table nothing waits behind a queued ALTER TABLE
       CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, 0) ELSE '' END
         AS partition_bound,
       c.reltuples AS stat_rows, c.relpages AS stat_pages,
       ARRAY(SELECT a.attname FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
              ORDER BY a.attnum)::text[] AS columns,
       coalesce(c.relacl::text, '') AS acl
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_partitioned_table p ON p.partrelid = c.oid
 WHERE c.relkind IN ('r', 'p')
   AND c.relpersistence <> 't'
   AND n.nspname NOT LIKE 'pg\_%' AND n.nspname NOT IN ('information_schema', 'pgdeck')
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                      AND d.deptype = 'e')
 ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
