-- what: some indexes with their table, and the names of their parts
-- servers: 14..
-- $1 schemas text[]
-- $2 names text[]: the same many
SELECT n.nspname AS schema, c.relname AS name, t.relname AS table_name,
       pg_get_indexdef(c.oid) AS definition, c.relkind = 'I' AS is_partitioned,
       i.indisunique OR EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid)
         AS is_constraint,
       CASE c.relkind WHEN 'I' THEN
            ARRAY(SELECT l.relname::text
                    FROM pg_partition_tree(c.oid) AS p
                    JOIN pg_class l ON l.oid = p.relid
                   WHERE p.isleaf)
            ELSE ARRAY[c.relname::text] END AS parts
  FROM unnest($1::text[], $2::text[]) AS w(schema, name)
  JOIN pg_namespace n ON n.nspname = w.schema
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
  JOIN pg_index i ON i.indexrelid = c.oid
  JOIN pg_class t ON t.oid = i.indrelid
 ORDER BY n.nspname, c.relname
