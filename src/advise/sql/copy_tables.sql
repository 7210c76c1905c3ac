-- what: SQL that makes empty copies of some tables with the schemas, extensions and types that they
--       need; no defaults, constraints or partitions
-- servers: 14..
-- $1 tables oid[]
-- returns: in the order in which it works
WITH wanted AS MATERIALIZED (
    SELECT c.oid, n.nspname AS schema, c.relname AS name
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = ANY ($1::oid[])
), columns AS MATERIALIZED (
    SELECT a.attrelid, a.attnum, a.attname, a.attcollation, t.typcollation,
           CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod)
                          ELSE format_type(a.atttypid, a.atttypmod) END AS type,
           e.oid AS element, e.typtype AS element_kind, e.typnamespace AS element_schema
      FROM pg_attribute a
      JOIN pg_type t ON t.oid = a.atttypid
      JOIN pg_type e ON e.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype
                                     WHEN t.typelem <> 0 AND t.typcategory = 'A' THEN t.typelem
                                     ELSE t.oid END
     WHERE a.attrelid IN (SELECT oid FROM wanted) AND a.attnum > 0 AND NOT a.attisdropped
)
SELECT 1 AS step, format('schema %I', s.name) AS what, true AS is_needed,
       format('CREATE SCHEMA IF NOT EXISTS %I', s.name) AS sql
  FROM (SELECT schema FROM wanted
        UNION
        SELECT n.nspname FROM columns k JOIN pg_namespace n ON n.oid = k.element_schema
        UNION
        SELECT n.nspname FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace) AS s(name)
 WHERE s.name NOT IN ('pg_catalog', 'public')
UNION ALL
SELECT 2, format('extension %I', x.extname), false,
       format('CREATE EXTENSION IF NOT EXISTS %I SCHEMA %I', x.extname, n.nspname)
  FROM pg_extension x
  JOIN pg_namespace n ON n.oid = x.extnamespace
 WHERE x.extname NOT IN ('plpgsql', 'pg_stat_statements', 'hypopg')
UNION ALL
SELECT DISTINCT 3, format('type %s', format_type(k.element, NULL)), true,
       format('CREATE TYPE %s AS ENUM (%s)', format_type(k.element, NULL),
              (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                 FROM pg_enum e WHERE e.enumtypid = k.element))
  FROM columns k
 WHERE k.element_kind = 'e'
UNION ALL
SELECT 4, format('table %I', w.name), true,
       format('CREATE UNLOGGED TABLE %I.%I (%s)', w.schema, w.name,
              (SELECT string_agg(format('%I %s', k.attname, k.type), ', ' ORDER BY k.attnum)
                 FROM columns k WHERE k.attrelid = w.oid))
  FROM wanted w
  JOIN pg_class c ON c.oid = w.oid
 WHERE c.relkind IN ('r', 'p', 'm')
UNION ALL
SELECT 5, format('view %I', w.name), false,
       format('CREATE VIEW %I.%I AS %s', w.schema, w.name, pg_get_viewdef(w.oid))
  FROM wanted w
  JOIN pg_class c ON c.oid = w.oid
 WHERE c.relkind = 'v'
 ORDER BY 1, 2
