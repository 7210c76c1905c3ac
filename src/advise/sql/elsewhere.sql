-- what: schemas, besides those of the search path, that have a table of one of these names
-- servers: 14..
-- $1 names text[]: as statements write them, "t" or "schema.t", quoted where needed
-- $2 schemas text[]
SELECT coalesce(string_agg(DISTINCT quote_ident(n.nspname), ', '), '') AS schemas
  FROM unnest($1::text[]) AS w(name)
 CROSS JOIN LATERAL (SELECT parse_ident(w.name) AS parts) AS p
  JOIN pg_class c ON c.relname = p.parts[1]
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE cardinality(p.parts) = 1 AND c.relkind IN ('r', 'p', 'm', 'v', 'f')
   AND n.nspname <> ALL ($2::text[]) AND n.nspname NOT LIKE 'pg\_%'
