-- what: the index that an earlier, broken off rollback began to build again, if it is there
-- servers: 14..
-- $1 key of the change text: "index public.name"
-- returns: is_valid, and the statement that drops it
SELECT i.indisvalid AND i.indisready AS is_valid,
       format('DROP INDEX CONCURRENTLY IF EXISTS %I.%I', n.nspname, c.relname) AS drop_sql
  FROM parse_ident(substr($1::text, 7)) AS p(name)
  JOIN pg_namespace n ON n.nspname = p.name[1]
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.name[2]
  JOIN pg_index i ON i.indexrelid = c.oid
 WHERE starts_with($1::text, 'index ')
