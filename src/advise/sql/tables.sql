-- what: the tables that names mean, with their size and their writes since statistics were reset
-- servers: 14..
-- $1 names text[]: as statements write them, "t" or "schema.t", quoted where needed
-- $2 schemas text[]: where unqualified ones are looked for, in this order
SELECT w.name AS written, c.oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind,
       s.rows, s.pages, s.inserts, s.updates, s.deletes, s.hot_updates, s.leaves
  FROM unnest($1::text[]) AS w(name)
 CROSS JOIN LATERAL (SELECT parse_ident(w.name) AS parts) AS p
 CROSS JOIN LATERAL
       (SELECT c.*
          FROM unnest(CASE cardinality(p.parts) WHEN 1 THEN $2::text[]
                                                ELSE p.parts[1:cardinality(p.parts) - 1] END)
               WITH ORDINALITY AS o(schema, at)
          JOIN pg_namespace n ON n.nspname = o.schema
          JOIN pg_class c ON c.relnamespace = n.oid
                         AND c.relname = p.parts[cardinality(p.parts)]
         WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f')
         ORDER BY o.at
         LIMIT 1) AS c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL
       (SELECT coalesce(sum(greatest(l.reltuples, 0)), 0)::float8 AS rows,
               coalesce(sum(l.relpages), 0)::float8 AS pages,
               coalesce(sum(pg_stat_get_tuples_inserted(l.oid)), 0)::float8 AS inserts,
               coalesce(sum(pg_stat_get_tuples_updated(l.oid)), 0)::float8 AS updates,
               coalesce(sum(pg_stat_get_tuples_deleted(l.oid)), 0)::float8 AS deletes,
               coalesce(sum(pg_stat_get_tuples_hot_updated(l.oid)), 0)::float8 AS hot_updates,
               array_agg(format('%I.%I', ln.nspname, l.relname) ORDER BY l.relpages DESC, l.oid)
                 FILTER (WHERE c.relkind = 'p')::text[] AS leaves
          FROM (SELECT c.oid WHERE c.relkind <> 'p'
                UNION ALL
                SELECT t.relid FROM pg_partition_tree(c.oid) AS t
                 WHERE t.isleaf AND c.relkind = 'p') AS f(oid)
          JOIN pg_class l ON l.oid = f.oid
          JOIN pg_namespace ln ON ln.oid = l.relnamespace) AS s
