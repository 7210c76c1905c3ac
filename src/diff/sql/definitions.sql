-- what: what the objects of a database are, but for partitions, extensions' parts and the schemas
--       of PostgreSQL and pgdeck; long definitions as their md5
-- servers: 14..
-- returns: kind, name, definition
WITH relations AS (
    SELECT c.*, n.nspname
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname NOT LIKE 'pg\_%'
       AND n.nspname NOT IN ('information_schema', 'pgdeck', 'monitoring', 'rollups')
       AND NOT c.relispartition AND c.relpersistence <> 't'
       AND NOT EXISTS (SELECT FROM pg_depend d
                        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                          AND d.deptype = 'e'))
SELECT 'table' AS kind, format('%s.%s', r.nspname, r.relname) AS name,
       concat_ws(', ', CASE WHEN r.relpersistence = 'u' THEN 'unlogged' END,
                 CASE WHEN r.relkind = 'p' THEN 'partitioned by ' || pg_get_partkeydef(r.oid)
                      WHEN r.relkind = 'f' THEN 'foreign' ELSE 'plain' END,
                 CASE WHEN r.relkind = 'p'
                      THEN (SELECT count(*) || ' partitions' FROM pg_inherits i
                             WHERE i.inhparent = r.oid) END,
                 CASE WHEN r.relrowsecurity THEN 'row security' END,
                 array_to_string(r.reloptions, ', ')) AS definition
  FROM relations r WHERE r.relkind IN ('r', 'p', 'f')
UNION ALL
SELECT 'column', format('%s.%s.%s', r.nspname, r.relname, a.attname),
       concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
                 CASE WHEN a.attidentity <> '' THEN 'identity' END,
                 CASE WHEN a.attgenerated <> '' THEN 'generated' ELSE 'default' END
                   || ' ' || pg_get_expr(d.adbin, d.adrelid))
  FROM relations r
  JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
 WHERE r.relkind IN ('r', 'p', 'f')
UNION ALL
SELECT 'constraint', format('%s.%s.%s', r.nspname, r.relname, k.conname),
       pg_get_constraintdef(k.oid)
  FROM relations r JOIN pg_constraint k ON k.conrelid = r.oid AND k.contype IN ('p', 'u', 'f', 'c', 'x')
UNION ALL
SELECT 'view', format('%s.%s', r.nspname, r.relname),
       concat_ws(' ', CASE WHEN r.relkind = 'm' THEN 'materialized' END,
                 'md5 ' || md5(pg_get_viewdef(r.oid)))
  FROM relations r WHERE r.relkind IN ('v', 'm')
UNION ALL
SELECT 'sequence', format('%s.%s', r.nspname, r.relname),
       format('%s from %s by %s, %s to %s%s', s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin,
              s.seqmax, CASE WHEN s.seqcycle THEN ', cycle' END)
  FROM relations r JOIN pg_sequence s ON s.seqrelid = r.oid
UNION ALL
SELECT 'trigger', format('%s.%s.%s', r.nspname, r.relname, t.tgname), pg_get_triggerdef(t.oid)
  FROM relations r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
UNION ALL
SELECT 'policy', format('%s.%s.%s', r.nspname, r.relname, p.polname),
       concat_ws(' ', p.polcmd::text, CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
                 'using ' || pg_get_expr(p.polqual, p.polrelid),
                 'check ' || pg_get_expr(p.polwithcheck, p.polrelid))
  FROM relations r JOIN pg_policy p ON p.polrelid = r.oid
UNION ALL
SELECT 'function', format('%s.%s(%s)', n.nspname, f.proname, pg_get_function_identity_arguments(f.oid)),
       CASE WHEN f.prokind IN ('f', 'p') THEN 'md5 ' || md5(pg_get_functiondef(f.oid))
            ELSE 'aggregate or window function' END
  FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
 WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname NOT IN ('information_schema', 'pgdeck', 'monitoring', 'rollups')
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
UNION ALL
SELECT 'type', format('%s.%s', n.nspname, t.typname),
       CASE t.typtype
            WHEN 'e' THEN (SELECT 'enum ' || string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                             FROM pg_enum e WHERE e.enumtypid = t.oid)
            WHEN 'd' THEN concat_ws(' ', 'domain', format_type(t.typbasetype, t.typtypmod),
                                    CASE WHEN t.typnotnull THEN 'not null' END,
                                    (SELECT string_agg(pg_get_constraintdef(k.oid), ' ' ORDER BY k.conname)
                                       FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'))
            WHEN 'r' THEN 'range'
            ELSE 'composite' END
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
 WHERE (t.typtype IN ('e', 'd', 'r')
        OR t.typtype = 'c' AND EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
   AND n.nspname NOT LIKE 'pg\_%' AND n.nspname NOT IN ('information_schema', 'pgdeck', 'monitoring', 'rollups')
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
