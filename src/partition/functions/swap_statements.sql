-- what: the statements that let `there` take the place of `here`, all read before the first one runs
-- servers: 14..
CREATE OR REPLACE FUNCTION pgdeck.conversion_swap_statements(here oid, there oid, full_name text,
  aside name, is_back boolean, foreign_keys jsonb)
RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $function$
BEGIN
RETURN (
WITH t AS (
  SELECT n.nspname, c.relname, format('%I.%I', n.nspname, aside) AS aside_name,
         there::regclass::text AS there_name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = here
), leaf AS (
  -- a foreign key that is not valid yet is not for a partitioned table before PostgreSQL 18
  SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS leaf_name
    FROM (SELECT relid FROM pg_partition_tree(there) WHERE isleaf
           UNION SELECT there WHERE NOT EXISTS (SELECT FROM pg_partition_tree(there))) AS p(relid)
    JOIN pg_class c ON c.oid = p.relid JOIN pg_namespace n ON n.oid = c.relnamespace
), named AS (
  -- indexes and statistics objects: pgdeck_OID is the counterpart of the one with that oid
  SELECT 'INDEX' AS kind, c.relname, o.oid, o.relname AS other_name
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_index j ON j.indrelid = there JOIN pg_class o ON o.oid = j.indexrelid
   WHERE i.indrelid = here AND o.relname = 'pgdeck_' || c.oid
   UNION ALL
  SELECT 'STATISTICS', s.stxname, o.oid, o.stxname
    FROM pg_statistic_ext s JOIN pg_statistic_ext o ON o.stxrelid = there
   WHERE s.stxrelid = here AND o.stxname = 'pgdeck_' || s.oid
), triggers AS (
  -- is_made: `there` has it already, disabled
  SELECT g.*, EXISTS (SELECT FROM pg_trigger o WHERE o.tgrelid = there AND o.tgname = g.tgname
                                                 AND NOT o.tgisinternal) AS is_made
    FROM pg_trigger g
   WHERE g.tgrelid = here AND NOT g.tgisinternal AND g.tgname NOT LIKE 'zz\_pgdeck\_log%'
), identity AS (
  SELECT a.attname, a.attidentity, q.*, format('%I.%I', n.nspname, s.relname) AS seq_name,
         s.relacl, s.relowner
    FROM pg_attribute a
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = here
                    AND d.refobjsubid = a.attnum AND d.classid = 'pg_class'::regclass AND d.deptype = 'i'
    JOIN pg_sequence q ON q.seqrelid = d.objid
    JOIN pg_class s ON s.oid = q.seqrelid JOIN pg_namespace n ON n.oid = s.relnamespace
   WHERE a.attrelid = here AND a.attidentity <> ''
), keys(name, definition, comment) AS (
  SELECT k.conname::text, regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''),
         obj_description(k.oid, 'pg_constraint')
    FROM pg_constraint k WHERE k.conrelid = here AND k.contype = 'f' AND NOT is_back
   UNION ALL
  SELECT f->>'name', f->>'definition', f->>'comment' FROM jsonb_array_elements(foreign_keys) f
   WHERE is_back
), statements(place, rank, statement) AS (
  SELECT 10, g.tgname || g.oid::text, format('DROP TRIGGER %I ON %s', g.tgname, g.tgrelid::regclass)
    FROM pg_trigger g
   WHERE g.tgname LIKE 'zz\_pgdeck\_log%' AND g.tgparentid = 0 AND NOT is_back
     AND g.tgrelid IN (SELECT here UNION SELECT relid FROM pg_partition_tree(here))
   UNION ALL
  SELECT 11, g.tgname::text, format('DROP TRIGGER %I ON %s', g.tgname, here::regclass) FROM triggers g
   WHERE NOT is_back
   UNION ALL
  SELECT 12, k.conname::text, format('ALTER TABLE %s DROP CONSTRAINT %I', l.leaf_name, k.conname)
    FROM pg_constraint k JOIN (SELECT p.relid, p.relid::regclass::text AS leaf_name
                                 FROM pg_partition_tree(here) p UNION SELECT here, here::regclass::text)
         AS l ON l.relid = k.conrelid
   WHERE k.contype = 'f' AND k.conparentid = 0
   UNION ALL
  SELECT 13, attname::text, format('ALTER TABLE %s ALTER COLUMN %I DROP IDENTITY', here::regclass, attname)
    FROM identity
   UNION ALL
  SELECT 20, '', format('ALTER TABLE %s RENAME TO %I', here::regclass, aside)
   UNION ALL
  SELECT 21, '', format('ALTER TABLE %s RENAME TO %I', t.there_name, t.relname) FROM t
   UNION ALL
  SELECT 22, oid::text || ' 1', format('ALTER %s %I.%I RENAME TO %I', kind, t.nspname, n.relname,
                                       'pgdeck_' || n.oid)
    FROM t CROSS JOIN named n
   UNION ALL
  SELECT 22, oid::text || ' 2', format('ALTER %s %I.%I RENAME TO %I', kind, t.nspname, n.other_name,
                                       n.relname)
    FROM t CROSS JOIN named n
   UNION ALL
  SELECT 30, attname::text,
         format('ALTER TABLE %s ALTER COLUMN %I ADD GENERATED %s AS IDENTITY (SEQUENCE NAME %s '
                'START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s %sCYCLE)', full_name,
                attname, CASE attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END, seq_name,
                seqstart, seqincrement, seqmin, seqmax, seqcache, CASE WHEN NOT seqcycle THEN 'NO ' END)
    FROM identity
   UNION ALL
  SELECT 31, i.attname::text,
         format('SELECT setval(%L, %s, %s)', i.seq_name, v.last, v.is_called)
    FROM identity i
   CROSS JOIN LATERAL (
     SELECT (xpath('//l/text()', x))[1]::text AS last, (xpath('//c/text()', x))[1]::text AS is_called
       FROM query_to_xml('SELECT last_value AS l, is_called AS c FROM ' || i.seq_name,
                         false, false, '') AS x) AS v
   UNION ALL
  SELECT 32, i.attname || to_char(g.place, '000'), format('GRANT %s ON SEQUENCE %s TO %s%s',
         g.privilege_type, i.seq_name,
         CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
         CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END)
    FROM identity i CROSS JOIN LATERAL aclexplode(i.relacl) WITH ORDINALITY
         AS g(grantor, grantee, privilege_type, is_grantable, place) WHERE g.grantee <> i.relowner
   UNION ALL
  SELECT 32, i.attname || ' comment', format('COMMENT ON SEQUENCE %s IS %L', i.seq_name,
                                             obj_description(i.seqrelid, 'pg_class'))
    FROM identity i WHERE obj_description(i.seqrelid, 'pg_class') IS NOT NULL
   UNION ALL
  SELECT 33, s.relname::text, format('ALTER SEQUENCE %I.%I OWNED BY %s.%I', n.nspname, s.relname,
                                     full_name, a.attname)
    FROM pg_depend d
    JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace
    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
   WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = here AND d.deptype = 'a'
     AND d.classid = 'pg_class'::regclass AND d.refobjsubid > 0
   UNION ALL
  SELECT 40, k.name || l.oid, format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID', CASE WHEN l.oid = there
                          THEN full_name ELSE l.leaf_name END, k.name, k.definition)
    FROM keys k CROSS JOIN leaf l
   UNION ALL
  SELECT 50, tgname::text, pg_get_triggerdef(oid) FROM triggers WHERE NOT is_made
   UNION ALL
  SELECT 51, tgname::text, format('ALTER TABLE %s %s TRIGGER %I', full_name,
                            CASE tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS'
                                           WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE' END, tgname)
    FROM triggers WHERE tgenabled <> CASE WHEN is_made THEN 'D' ELSE 'O' END
   UNION ALL
  SELECT 52, tgname::text, format('COMMENT ON TRIGGER %I ON %s IS %L', tgname, full_name,
                            obj_description(oid, 'pg_trigger'))
    FROM triggers WHERE obj_description(oid, 'pg_trigger') IS NOT NULL AND NOT is_made
   UNION ALL
  SELECT 60, r.pubname, format('ALTER PUBLICATION %I DROP TABLE %s', r.pubname, t.aside_name)
    FROM t CROSS JOIN pgdeck.conversion_publications(here) r
   UNION ALL
  SELECT 61, r.pubname, format('ALTER PUBLICATION %I ADD TABLE %s%s', r.pubname, full_name, r.clause)
    FROM pgdeck.conversion_publications(here) r
   UNION ALL
  SELECT 70, c.oid::text, format('CREATE OR REPLACE VIEW %I.%I%s AS %s', n.nspname, c.relname,
         ' WITH (' || array_to_string(c.reloptions, ', ') || ')', pg_get_viewdef(c.oid))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.oid IN (SELECT r.ev_class
                     FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
                    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = here
                      AND d.classid = 'pg_rewrite'::regclass AND r.ev_class <> here))
SELECT array_agg(statement ORDER BY place, rank) FROM statements);
END
$function$
