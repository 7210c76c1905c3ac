-- what: all that hangs on a table, as lines that are the same for a table and its like; stage: shadow
--       (there before the swap) or swap (moved by it)
-- servers: 14..
CREATE OR REPLACE FUNCTION pgdeck.conversion_describe(relation oid, partition_columns name[])
RETURNS TABLE (stage text, line text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET plan_cache_mode = force_generic_plan
AS $function$
#variable_conflict use_column
BEGIN
RETURN QUERY
WITH t AS (
  SELECT c.*, format('%I.%I', n.nspname, c.relname) AS full_name, quote_ident(c.relname) AS short_name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation
), keys AS (
  SELECT a.attnum FROM pg_attribute a
   WHERE a.attrelid = relation AND a.attname = ANY (partition_columns)
), lines AS (
  SELECT 'shadow' AS stage, concat_ws(' | ', 'table', pg_get_userbyid(relowner), relacl, relrowsecurity,
                            relforcerowsecurity, relreplident, obj_description(oid, 'pg_class')) AS line
    FROM t
   UNION ALL
  SELECT 'shadow', concat_ws(' | ', 'column', a.attname, format_type(a.atttypid, a.atttypmod),
                   a.attnotnull OR a.attnum IN (SELECT attnum FROM keys), a.attstorage,
                   a.attcompression, nullif(a.attstattarget, -1), a.attgenerated, a.attcollation,
                   pg_get_expr(d.adbin, d.adrelid), a.attacl, col_description(relation, a.attnum),
                   (SELECT string_agg(o.option_name || '=' || o.option_value, ',' ORDER BY 1)
                      FROM pg_options_to_table(a.attoptions) o WHERE o.option_name LIKE 'n_dist%'))
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
   WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
   UNION ALL
  SELECT 'shadow', concat_ws(' | ', 'check', k.conname, pg_get_constraintdef(k.oid),
                             obj_description(k.oid, 'pg_constraint'))
    FROM pg_constraint k
   WHERE k.conrelid = relation AND k.contype = 'c' AND k.conname <> 'pgdeck_until'
   UNION ALL
  SELECT 'shadow', concat_ws(' | ', 'policy', p.polname, p.polpermissive, p.polcmd,
                   p.polroles::regrole[], pg_get_expr(p.polqual, relation),
                   pg_get_expr(p.polwithcheck, relation), obj_description(p.oid, 'pg_policy'))
    FROM pg_policy p WHERE p.polrelid = relation
   UNION ALL
  SELECT 'shadow', concat_ws(' | ', 'statistics', s.stxkind, array_sort_names, s.stxexprs IS NULL,
                             nullif(s.stxstattarget, -1), pg_get_userbyid(s.stxowner),
                             obj_description(s.oid, 'pg_statistic_ext'))
    FROM pg_statistic_ext s
   CROSS JOIN LATERAL (SELECT string_agg(a.attname, ',' ORDER BY a.attname)
                         FROM pg_attribute a
                        WHERE a.attrelid = relation AND a.attnum = ANY (s.stxkeys::int2[]))
                      AS n(array_sort_names)
   WHERE s.stxrelid = relation
   UNION ALL
  -- what is unique may have got the partition columns
  SELECT 'shadow', concat_ws(' | ', 'unique', i.indisprimary, i.indimmediate, i.indpred IS NULL,
                   (SELECT string_agg(pg_get_indexdef(i.indexrelid, u.place::int, true), ',' ORDER BY u.place)
                      FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS u(attnum, place)
                     WHERE u.attnum NOT IN (SELECT attnum FROM keys)),
                   obj_description(i.indexrelid, 'pg_class'),
                   obj_description(k.oid, 'pg_constraint'))
    FROM pg_index i LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = relation
                                             AND k.contype IN ('p', 'u')
   WHERE i.indrelid = relation AND i.indisunique
     AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = i.indexrelid
                                              AND c.relname ~ '^pgdeck_(wide|back)_')
   UNION ALL
  SELECT 'shadow', concat_ws(' | ', 'index', substring(pg_get_indexdef(i.indexrelid) FROM ' USING .*'),
                             obj_description(i.indexrelid, 'pg_class'),
                             (SELECT string_agg(a.attnum || '=' || a.attstattarget, ',' ORDER BY a.attnum)
                                FROM pg_attribute a
                               WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0))
    FROM pg_index i WHERE i.indrelid = relation AND NOT i.indisunique
   UNION ALL
  SELECT 'swap', concat_ws(' | ', 'trigger', g.tgname, g.tgenabled, pg_get_triggerdef(g.oid),
                           obj_description(g.oid, 'pg_trigger'))
    FROM pg_trigger g
   WHERE g.tgrelid = relation AND NOT g.tgisinternal AND g.tgname NOT LIKE 'zz\_pgdeck\_log%'
   UNION ALL
  SELECT 'swap', concat_ws(' | ', 'identity', a.attname, a.attidentity, q.seqtypid, q.seqstart,
                           q.seqincrement, q.seqmin, q.seqmax, q.seqcache, q.seqcycle,
                           obj_description(q.seqrelid, 'pg_class'))
    FROM pg_attribute a
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = relation
                    AND d.refobjsubid = a.attnum AND d.classid = 'pg_class'::regclass
                    AND d.deptype IN ('i', 'a')
    JOIN pg_sequence q ON q.seqrelid = d.objid
   WHERE a.attrelid = relation
   UNION ALL
  -- those of a table that is made anew in another shape
  SELECT 'parts', concat_ws(' | ', 'partition', p.relid, p.level)
    FROM pg_partition_tree(relation) p
   UNION ALL
  SELECT 'swap', concat_ws(' | ', 'publication', p.pubname, p.clause)
    FROM pgdeck.conversion_publications(relation) p)
SELECT stage, regexp_replace(line, format('(?<![\w$".])(%s(?![\w$"])|%s(?=\.))',
                                          regexp_replace(t.full_name, '(\W)', '\\\1', 'g'),
                                          regexp_replace(t.short_name, '(\W)', '\\\1', 'g')),
                             '@', 'g')
  FROM lines CROSS JOIN t;
END
$function$
