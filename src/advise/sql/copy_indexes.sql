-- what: SQL that builds the indexes of some tables on their copies, which have no partitions
-- servers: 14..
-- $1 tables oid[]
SELECT format('index %I', c.relname) AS what, false AS is_needed,
       regexp_replace(pg_get_indexdef(i.indexrelid), '^(CREATE (UNIQUE )?INDEX \S+ ON )ONLY ', '\1')
         AS sql
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
 WHERE i.indrelid = ANY ($1::oid[]) AND i.indisvalid
 ORDER BY c.relname
