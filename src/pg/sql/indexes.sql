-- what: indexes of the tables that tables.sql lists; definition from the word USING on
-- servers: 14..
SELECT i.indexrelid AS oid, i.indrelid AS table_oid, n.nspname AS schema, c.relname AS name,
       c.relkind AS kind, i.indisunique AS is_unique, i.indisprimary AS is_primary,
       i.indisvalid AS is_valid, i.indisready AS is_ready, c.relispartition AS is_partition,
       EXISTS (SELECT FROM pg_constraint k
                WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid
                  AND k.contype IN ('p', 'u', 'x')) AS is_constraint,
       substr(pg_get_indexdef(i.indexrelid),
              length(format('CREATE %sINDEX %I ON %s%I.%I ',
                            CASE WHEN i.indisunique THEN 'UNIQUE ' END, c.relname,
                            CASE WHEN c.relkind = 'I' THEN 'ONLY ' END, tn.nspname, t.relname)) + 1)
         AS definition
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class t ON t.oid = i.indrelid
  JOIN pg_namespace tn ON tn.oid = t.relnamespace
 WHERE t.relkind IN ('r', 'p')
   AND t.relpersistence <> 't'
   AND tn.nspname NOT LIKE 'pg\_%' AND tn.nspname NOT IN ('information_schema', 'pgdeck')
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = t.oid
                      AND d.deptype = 'e')
 ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
