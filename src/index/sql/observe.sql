-- what: the canonical text of an index as the plan compares it
-- servers: 14..
-- variables: schema, name
-- returns: one text
SELECT CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END
         || substr(pg_get_indexdef(i.indexrelid),
                   length(format('CREATE %sINDEX %I ON %s%I.%I ',
                                 CASE WHEN i.indisunique THEN 'UNIQUE ' END, c.relname,
                                 CASE WHEN c.relkind = 'I' THEN 'ONLY ' END,
                                 tn.nspname, t.relname)) + 1)
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class t ON t.oid = i.indrelid
  JOIN pg_namespace tn ON tn.oid = t.relnamespace
 WHERE n.nspname = :'schema' AND c.relname = :'name';
