-- what: scripts that add empty partitions to a partitioned table, made as tables of their own first:
--       so only SHARE UPDATE EXCLUSIVE is taken on it
-- servers: 14..
-- $1 schema text, $2 table text, $3 names text[], $4 bounds text[]
-- returns: one script a name, in their order
WITH target AS (
  SELECT c.oid, c.relowner, n.nspname, format('%I.%I', n.nspname, c.relname) AS full_name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'p'
), sibling AS (
  -- a partitioned table has no storage parameters: the newest partition says which are meant
  SELECT string_agg(o.name || ' = ' || quote_literal(o.value), ', ' ORDER BY o.name) AS options
    FROM (SELECT c.reloptions, x.reloptions AS toast_options
            FROM target t JOIN pg_inherits h ON h.inhparent = t.oid
            JOIN pg_class c ON c.oid = h.inhrelid AND c.relkind = 'r'
            LEFT JOIN pg_class x ON x.oid = c.reltoastrelid
           ORDER BY c.oid DESC LIMIT 1) s
   CROSS JOIN LATERAL (SELECT option_name, option_value FROM pg_options_to_table(s.reloptions)
                        UNION ALL
                       SELECT 'toast.' || option_name, option_value
                         FROM pg_options_to_table(s.toast_options)) AS o(name, value)
)
SELECT p.name,
       format(E'CREATE TABLE %1$s (LIKE %2$s INCLUDING COMMENTS INCLUDING COMPRESSION '
              'INCLUDING CONSTRAINTS INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING STORAGE)%3$s;\n'
              '%4$sALTER TABLE %2$s ATTACH PARTITION %1$s %5$s',
              format('%I.%I', t.nspname, p.name), t.full_name, E'\n    WITH (' || s.options || ')',
              CASE WHEN t.relowner <> current_user::regrole
                   THEN format(E'ALTER TABLE %I.%I OWNER TO %I;\n', t.nspname, p.name,
                               pg_get_userbyid(t.relowner)) END,
              p.bound) AS script
  FROM target t CROSS JOIN sibling s
 CROSS JOIN LATERAL unnest($3::text[], $4::text[]) WITH ORDINALITY AS p(name, bound, place)
 ORDER BY p.place
