-- what: indexes of some tables and of their partitions, with their canonical text: UNIQUE where it
--       holds, and the definition from USING on
-- servers: 14..
-- $1 tables' oids text[]; null: the temporary tables of this session
SELECT i.indexrelid AS oid, i.indrelid AS table_oid, n.nspname AS schema, c.relname AS name,
       c.relkind AS kind, i.indisvalid AND i.indisready AS is_valid,
       EXISTS (SELECT FROM pg_constraint k
                WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid
                  AND k.contype IN ('p', 'u', 'x')) AS is_constraint,
       coalesce((SELECT h.inhparent FROM pg_inherits h WHERE h.inhrelid = i.indexrelid), 0)
         AS parent_oid,
       CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END
         || (SELECT substr(d.definition, length(p.prefix) + 1)
               FROM (VALUES (n.nspname::text), ('pg_temp')) AS s(schema)
              CROSS JOIN LATERAL format('CREATE %sINDEX %I ON %s%I.%I ',
                                        CASE WHEN i.indisunique THEN 'UNIQUE ' END, c.relname,
                                        CASE WHEN c.relkind = 'I' THEN 'ONLY ' END,
                                        s.schema, t.relname) AS p(prefix)
              WHERE starts_with(d.definition, p.prefix)) AS canonical
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class t ON t.oid = i.indrelid
 CROSS JOIN LATERAL pg_get_indexdef(i.indexrelid) AS d(definition)
 WHERE CASE WHEN $1::text[] IS NULL THEN t.relnamespace = pg_my_temp_schema()
            ELSE t.oid = ANY ($1::text[]::oid[]) END
 ORDER BY c.relname
