-- what: scripts that add empty partitions to a partitioned table, made as tables of their own first:
--       so only SHARE UPDATE EXCLUSIVE is taken on it
-- servers: 14..
-- $1 schema text, $2 table text, $3 names text[], $4 bounds text[], $5 parents text[] (null: the
-- table), $6 PARTITION BY text[] (null: holds rows)
-- returns: one script a name without a parent, in their order; its partitions are made in it
WITH target AS (
  SELECT c.oid, c.relowner, c.relrowsecurity, n.nspname, format('%I.%I', n.nspname, c.relname) AS full_name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'p'
), part AS (
  SELECT p.*, format('%I.%I', t.nspname, p.name) AS part_name
    FROM target t
   CROSS JOIN LATERAL unnest($3::text[], $4::text[], $5::text[], $6::text[]) WITH ORDINALITY
      AS p(name, bound, parent, partition_by, place)
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
       concat(format(E'CREATE TABLE %s (LIKE %s INCLUDING COMMENTS INCLUDING COMPRESSION '
                     'INCLUDING CONSTRAINTS INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING STORAGE)%s;\n',
                     p.part_name, t.full_name,
                     coalesce(E'\n    ' || p.partition_by, E'\n    WITH (' || s.options || ')')),
              (SELECT string_agg(format(E'CREATE TABLE %s PARTITION OF %s %s;\n', i.part_name, p.part_name,
                                        i.bound), '' ORDER BY i.place)
                 FROM part i WHERE i.parent = p.name),
              (SELECT string_agg(format(E'ALTER TABLE %s OWNER TO %I;\n', i.part_name,
                                        pg_get_userbyid(t.relowner)), '' ORDER BY i.place)
                 FROM part i
                WHERE p.name IN (i.name, i.parent) AND t.relowner <> current_user::regrole),
              -- no row of it is seen but through its table, until it has policies of its own
              (SELECT string_agg(format(E'ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL '
                                        'SECURITY;\n', i.part_name), '' ORDER BY i.place)
                 FROM part i WHERE p.name IN (i.name, i.parent) AND t.relrowsecurity),
              format('ALTER TABLE %s ATTACH PARTITION %s %s', t.full_name, p.part_name, p.bound)) AS script
  FROM target t CROSS JOIN sibling s CROSS JOIN part p
 WHERE p.parent IS NULL
 ORDER BY p.place
