-- what: what a broken off REINDEX CONCURRENTLY of that index has left
-- servers: 14..
-- $1 schema text, $2 index text
-- returns: relation, sql
SELECT format('%I.%I', n.nspname, x.relname) AS relation,
       format('DROP INDEX CONCURRENTLY %I.%I', n.nspname, x.relname) AS sql
  FROM pg_index AS i
  JOIN pg_class AS x ON x.oid = i.indexrelid
  JOIN pg_namespace AS n ON n.oid = x.relnamespace
 WHERE n.nspname = $1 AND NOT i.indisvalid AND x.relname ~ '_cc(new|old)[0-9]*$'
   AND starts_with($2, regexp_replace(x.relname, '_cc(new|old)[0-9]*$', ''))
