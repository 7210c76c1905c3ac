-- what: scripts that make a table's like with all that it has. 'empty': the partitioned table (or,
--       kind null, the ordinary one again) takes the place of the empty table, which is dropped, in
--       a transaction that has it locked. 'shadow': the partitioned table beside one that is in
--       use, with its key only; 'indexes': the rest, once it has its rows
-- servers: 14..
-- $1 schema text, $2 table text, $3 column text, $4 kind text: RANGE, LIST, HASH, or null
-- $5 names of partitions text[], $6 their bounds text[], $7 stage text: empty, shadow, indexes
-- $8 name of the shadow text, $9 oid of the index that is its key; both null when empty
-- $10 partition columns text[], all of them; $11 parents and $12 PARTITION BY of the partitions text[]
-- returns: one script; no row: there is no such table
WITH target AS (
  SELECT c.*, n.nspname, format('%I.%I', n.nspname, coalesce($8::text, c.relname)) AS full_name,
         'pgdeck_old_' || c.oid AS old_name,
         format('%I.%I', n.nspname, CASE WHEN $7 = 'empty' THEN 'pgdeck_old_' || c.oid
                                         ELSE c.relname END) AS old_full_name,
         pg_get_userbyid(c.relowner) AS owner,
         (SELECT E'\n    WITH (' || string_agg(o.name || ' = ' || quote_literal(o.value), ', '
                                               ORDER BY o.name) || ')'
            FROM (SELECT option_name, option_value FROM pg_options_to_table(m.reloptions)
                   UNION ALL
                  SELECT 'toast.' || option_name, option_value
                    FROM pg_class x
                   CROSS JOIN LATERAL pg_options_to_table(x.reloptions)
                   WHERE x.oid = m.reltoastrelid) AS o(name, value)) AS options,
         (SELECT format(' TABLESPACE %I', s.spcname) FROM pg_tablespace s
           WHERE s.oid = c.reltablespace) AS tablespace
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    -- a partitioned table has no storage parameters: its newest partition says which are meant
    LEFT JOIN LATERAL (
     SELECT x.reloptions, x.reltoastrelid FROM pg_class x
      WHERE x.relkind = 'r' AND (x.oid = c.oid OR x.oid IN (SELECT relid FROM pg_partition_tree(c.oid)))
      ORDER BY x.oid DESC LIMIT 1) AS m ON true
   WHERE n.nspname = $1 AND c.relname = $2
     AND (c.relkind = 'r' OR (c.relkind = 'p' AND $7 <> 'empty'))
), identity AS (
  SELECT t.full_name, a.attname, a.attidentity, s.*, sn.nspname AS seq_schema, sc.relname AS seq_name,
         format('%I.%I', sn.nspname, 'pgdeck_old_' || sc.oid) AS old_seq_full_name,
         'pgdeck_old_' || sc.oid AS old_seq_name,
         format('%I.%I', sn.nspname, sc.relname) AS seq_full_name,
         obj_description(sc.oid, 'pg_class') AS comment
    FROM target t
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attidentity <> '' AND NOT a.attisdropped
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
                    AND d.refobjsubid = a.attnum AND d.classid = 'pg_class'::regclass
                    AND d.deptype = 'i'
    JOIN pg_sequence s ON s.seqrelid = d.objid
    JOIN pg_class sc ON sc.oid = s.seqrelid
    JOIN pg_namespace sn ON sn.oid = sc.relnamespace
), keys AS (
  -- PRIMARY KEY and UNIQUE; the partition column is put behind their columns where it is missing
  SELECT k.oid, k.conindid, t.full_name, k.contype, d.definition,
         CASE WHEN $7 = 'empty' THEN k.conname::text ELSE 'pgdeck_' || k.conindid END AS conname,
         CASE WHEN $4::text IS NULL OR NOT starts_with(d.definition, h.head || ')') THEN d.definition
              ELSE concat(h.head, m.missing, substr(d.definition, length(h.head) + 1))
         END AS new_definition
    FROM target t
    JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype IN ('p', 'u')
   CROSS JOIN LATERAL pg_get_constraintdef(k.oid) AS d(definition)
   CROSS JOIN LATERAL (
     SELECT substring(d.definition FROM '^[A-Z ]+\(') || string_agg(quote_ident(a.attname), ', '
                                                                    ORDER BY u.place)
       FROM unnest(k.conkey) WITH ORDINALITY AS u(attnum, place)
       JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.attnum) AS h(head)
   CROSS JOIN LATERAL (
     SELECT string_agg(', ' || quote_ident(p.name), '' ORDER BY p.place)
       FROM unnest($10::text[]) WITH ORDINALITY AS p(name, place)
      WHERE NOT EXISTS (SELECT FROM pg_attribute a
                         WHERE a.attrelid = t.oid AND a.attname = p.name
                           AND a.attnum = ANY (k.conkey))) AS m(missing)
), indexes AS (
  -- those of no constraint; a shadow's are known by the oid of their model until they change names
  SELECT i.indexrelid,
         CASE WHEN $7 = 'empty' THEN c.relname::text ELSE 'pgdeck_' || c.oid END AS name,
         CASE WHEN $7 = 'empty' THEN d.definition
              ELSE format('CREATE %sINDEX %I ON %s %s', CASE WHEN i.indisunique THEN 'UNIQUE ' END,
                          'pgdeck_' || c.oid, t.full_name,
                          substr(d.definition, strpos(d.definition, ' USING ') + 1)) END AS definition
    FROM target t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class c ON c.oid = i.indexrelid
   CROSS JOIN LATERAL pg_get_indexdef(i.indexrelid) AS d(definition)
   WHERE NOT EXISTS (SELECT FROM pg_constraint k
                      WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
), rights AS (
  -- in their order, so that the new list is the old one to the letter
  SELECT t.full_name, NULL::name AS attname, g.* FROM target t
   CROSS JOIN LATERAL aclexplode(t.relacl) WITH ORDINALITY
      AS g(grantor, grantee, privilege_type, is_grantable, place)
   UNION ALL
  SELECT t.full_name, a.attname, g.*
    FROM target t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0
   CROSS JOIN LATERAL aclexplode(a.attacl) WITH ORDINALITY
      AS g(grantor, grantee, privilege_type, is_grantable, place)
), statements(place, rank, statement) AS (
  -- out of the way
  SELECT 10, '', format('ALTER TABLE %s RENAME TO %I', full_name, old_name) FROM target
   UNION ALL
  SELECT 11, seq_name::text, format('ALTER SEQUENCE %s RENAME TO %I', seq_full_name, old_seq_name)
    FROM identity
   UNION ALL
  -- its like
  SELECT 20, '', format(E'CREATE TABLE %s (LIKE %s INCLUDING COMMENTS INCLUDING COMPRESSION '
                        'INCLUDING CONSTRAINTS INCLUDING DEFAULTS INCLUDING GENERATED '
                        'INCLUDING STORAGE)%s%s%s', full_name, old_full_name,
                        E'\n    PARTITION BY ' || $4::text || format(' (%I)', $3::text),
                        CASE WHEN $4::text IS NULL THEN options END, tablespace)
    FROM target
   UNION ALL
  SELECT 21, seq_name::text,
         format('ALTER TABLE %s ALTER COLUMN %I ADD GENERATED %s AS IDENTITY (SEQUENCE NAME %s '
                'START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s %sCYCLE)',
                full_name, attname,
                CASE attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END, seq_full_name,
                seqstart, seqincrement, seqmin, seqmax, seqcache,
                CASE WHEN NOT seqcycle THEN 'NO ' END)
    FROM identity
   UNION ALL
  SELECT 22, seq_name::text,
         format('SELECT setval(%L, last_value, is_called) FROM %s', seq_full_name,
                old_seq_full_name)
    FROM identity
   UNION ALL
  SELECT 22, seq_name || ' comment', format('COMMENT ON SEQUENCE %s IS %L', seq_full_name, comment)
    FROM identity WHERE comment IS NOT NULL
   UNION ALL
  SELECT 23, '', format('ALTER TABLE %s OWNER TO %I', full_name, owner)
    FROM target WHERE relowner <> current_user::regrole
   UNION ALL
  -- sequences of serial columns stay the same ones
  SELECT 24, sc.relname::text, format('ALTER SEQUENCE %I.%I OWNED BY %s.%I', sn.nspname, sc.relname,
                                      t.full_name, a.attname)
    FROM target t
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
                    AND d.classid = 'pg_class'::regclass AND d.deptype = 'a' AND d.refobjsubid > 0
    JOIN pg_class sc ON sc.oid = d.objid AND sc.relkind = 'S'
    JOIN pg_namespace sn ON sn.oid = sc.relnamespace
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
   UNION ALL
  SELECT 30, '', format('DROP TABLE %s', old_full_name) FROM target
   UNION ALL
  -- with the old table went the names of its keys and indexes
  SELECT CASE WHEN conindid = $9::oid THEN 40 ELSE 41 END, conname,
         format('ALTER TABLE %s ADD CONSTRAINT %I %s', full_name, conname, new_definition)
    FROM keys
   UNION ALL
  SELECT CASE WHEN indexrelid = $9::oid THEN 40 ELSE 42 END, name, definition FROM indexes
   UNION ALL
  SELECT 43, k.conname::text, format('ALTER TABLE %s ADD CONSTRAINT %I %s', t.full_name, k.conname,
                                     regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''))
    FROM target t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f'
   UNION ALL
  SELECT 44, s.stxname::text,
         CASE WHEN $7 = 'empty' THEN d.definition
              ELSE format('CREATE STATISTICS %I.%I%s FROM %s', t.nspname, 'pgdeck_' || s.oid,
                          regexp_replace(left(d.definition, -length(f.tail)),
                                         '^CREATE STATISTICS ("[^"]*"|[^" ])+', ''),
                          t.full_name) END
    FROM target t JOIN pg_statistic_ext s ON s.stxrelid = t.oid
   CROSS JOIN LATERAL pg_get_statisticsobjdef(s.oid) AS d(definition)
   CROSS JOIN LATERAL format(' FROM %s', t.old_full_name) AS f(tail)
   UNION ALL
  SELECT 47, s.oid::text || e.statement, e.statement
    FROM target t JOIN pg_statistic_ext s ON s.stxrelid = t.oid
   CROSS JOIN LATERAL format('%I.%I', t.nspname, CASE WHEN $7 = 'empty' THEN s.stxname::text
                                                      ELSE 'pgdeck_' || s.oid END) AS n(name)
   CROSS JOIN LATERAL (VALUES
     (s.stxowner <> current_user::regrole, format('ALTER STATISTICS %s OWNER TO %I', n.name,
                                                  pg_get_userbyid(s.stxowner))),
     (s.stxstattarget >= 0, format('ALTER STATISTICS %s SET STATISTICS %s', n.name, s.stxstattarget)),
     (obj_description(s.oid, 'pg_statistic_ext') IS NOT NULL,
      format('COMMENT ON STATISTICS %s IS %L', n.name, obj_description(s.oid, 'pg_statistic_ext'))))
      AS e(is_needed, statement)
   WHERE e.is_needed
   UNION ALL
  SELECT 47, a.attrelid::text || ' ' || a.attnum,
         format('ALTER INDEX %I.%I ALTER COLUMN %s SET STATISTICS %s', t.nspname, i.name, a.attnum,
                a.attstattarget)
    FROM target t CROSS JOIN indexes i JOIN pg_attribute a ON a.attrelid = i.indexrelid
   WHERE a.attstattarget >= 0
   UNION ALL
  SELECT 45, a.attname::text, format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', t.full_name,
                                     a.attname, a.attstattarget)
    FROM target t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
   WHERE a.attstattarget >= 0
   UNION ALL
  -- newer minor versions keep an option of their own there (pg_attver), which is not the user's
  SELECT 46, a.attname || ' ' || o.option_name,
         format('ALTER TABLE %s ALTER COLUMN %I SET (%s = %s)', t.full_name, a.attname,
                o.option_name, o.option_value)
    FROM target t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
   CROSS JOIN LATERAL pg_options_to_table(a.attoptions) AS o
   WHERE o.option_name IN ('n_distinct', 'n_distinct_inherited')
   UNION ALL
  SELECT 50, g.tgname::text, pg_get_triggerdef(g.oid)
    FROM target t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
   UNION ALL
  SELECT 51, g.tgname::text, format('ALTER TABLE %s %s TRIGGER %I', t.full_name,
                                    CASE g.tgenabled WHEN 'D' THEN 'DISABLE'
                                                     WHEN 'A' THEN 'ENABLE ALWAYS'
                                                     ELSE 'ENABLE REPLICA' END, g.tgname)
    FROM target t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
   WHERE g.tgenabled <> 'O'
   UNION ALL
  SELECT 60, p.polname::text,
         format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s', p.polname, t.full_name,
                CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                              WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                (SELECT string_agg(CASE WHEN r.oid = 0 THEN 'PUBLIC'
                                        ELSE quote_ident(pg_get_userbyid(r.oid)) END, ', ')
                   FROM unnest(p.polroles) AS r(oid)),
                ' USING (' || pg_get_expr(p.polqual, t.oid) || ')',
                ' WITH CHECK (' || pg_get_expr(p.polwithcheck, t.oid) || ')')
    FROM target t JOIN pg_policy p ON p.polrelid = t.oid
   UNION ALL
  SELECT 61, '', format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', full_name)
    FROM target WHERE relrowsecurity
   UNION ALL
  SELECT 62, '', format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', full_name)
    FROM target WHERE relforcerowsecurity
   UNION ALL
  -- default privileges have given the new table others than the old one had
  SELECT 70, '', format('REVOKE ALL ON %s FROM PUBLIC, %I', full_name, owner)
    FROM target WHERE relacl IS NOT NULL
   UNION ALL
  SELECT DISTINCT 70, 'default', format('REVOKE ALL ON %s FROM %I', t.full_name,
                                        pg_get_userbyid(g.grantee))
    FROM target t CROSS JOIN pg_default_acl d
   CROSS JOIN LATERAL aclexplode(d.defaclacl) AS g
   WHERE d.defaclobjtype = 'r' AND g.grantee NOT IN (0, t.relowner)
   UNION ALL
  SELECT 72, concat(attname, to_char(place, '000000')),
         format('GRANT %s%s ON %s TO %s%s', privilege_type, format(' (%I)', attname), full_name,
                CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
                CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END)
    FROM rights WHERE attname IS NOT NULL
   UNION ALL
  SELECT 71, to_char(place, '000000'),
         format('GRANT %s ON %s TO %s%s', privilege_type, full_name,
                CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
                CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END)
    FROM rights WHERE attname IS NULL
   UNION ALL
  SELECT 80, '', format('COMMENT ON TABLE %s IS %L', full_name, obj_description(oid, 'pg_class'))
    FROM target WHERE obj_description(oid, 'pg_class') IS NOT NULL
   UNION ALL
  -- comments on CHECK constraints come with LIKE
  SELECT CASE WHEN conindid = $9::oid THEN 81 ELSE 82 END, conname,
         format('COMMENT ON CONSTRAINT %I ON %s IS %L', conname, full_name,
                obj_description(oid, 'pg_constraint'))
    FROM keys WHERE obj_description(oid, 'pg_constraint') IS NOT NULL
   UNION ALL
  SELECT 83, k.conname::text, format('COMMENT ON CONSTRAINT %I ON %s IS %L', k.conname, t.full_name,
                                     obj_description(k.oid, 'pg_constraint'))
    FROM target t JOIN pg_constraint k ON k.conrelid = t.oid
   WHERE k.contype = 'f' AND obj_description(k.oid, 'pg_constraint') IS NOT NULL
   UNION ALL
  SELECT CASE WHEN i.oid = $9::oid THEN 81 ELSE 82 END, i.name,
         format('COMMENT ON INDEX %I.%I IS %L', t.nspname, i.name,
                obj_description(i.oid, 'pg_class'))
    FROM target t
   CROSS JOIN (SELECT indexrelid, name FROM indexes UNION ALL
               SELECT conindid, conname FROM keys) AS i(oid, name)
   WHERE obj_description(i.oid, 'pg_class') IS NOT NULL
   UNION ALL
  SELECT 84, g.tgname::text, format('COMMENT ON TRIGGER %I ON %s IS %L', g.tgname, t.full_name,
                                    obj_description(g.oid, 'pg_trigger'))
    FROM target t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
   WHERE obj_description(g.oid, 'pg_trigger') IS NOT NULL
   UNION ALL
  SELECT 85, p.polname::text, format('COMMENT ON POLICY %I ON %s IS %L', p.polname, t.full_name,
                                     obj_description(p.oid, 'pg_policy'))
    FROM target t JOIN pg_policy p ON p.polrelid = t.oid
   WHERE obj_description(p.oid, 'pg_policy') IS NOT NULL
   UNION ALL
  SELECT 90, to_char(p.place, '000000'),
         format('CREATE TABLE %I.%I PARTITION OF %s %s%s', t.nspname, p.name,
                coalesce(format('%I.', t.nspname) || quote_ident(p.parent), t.full_name), p.bound,
                coalesce(E'\n    ' || p.partition_by, t.options))
    FROM target t
   CROSS JOIN LATERAL unnest($5::text[], $6::text[], $11::text[], $12::text[]) WITH ORDINALITY
      AS p(name, bound, parent, partition_by, place)
   UNION ALL
  SELECT 91, to_char(p.place, '000000'),
         format('ALTER TABLE %I.%I OWNER TO %I', t.nspname, p.name, t.owner)
    FROM target t
   CROSS JOIN LATERAL unnest($5::text[]) WITH ORDINALITY AS p(name, place)
   WHERE t.relowner <> current_user::regrole
   UNION ALL
  SELECT 92, '', format('ALTER TABLE %s REPLICA IDENTITY %s', full_name,
                        CASE relreplident WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END)
    FROM target WHERE relreplident IN ('f', 'n')
   UNION ALL
  SELECT 92, to_char(p.place, '000000'),
         format('ALTER TABLE %I.%I REPLICA IDENTITY %s', t.nspname, p.name,
                CASE t.relreplident WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END)
    FROM target t
   CROSS JOIN LATERAL unnest($5::text[]) WITH ORDINALITY AS p(name, place)
   WHERE t.relreplident IN ('f', 'n')
)
SELECT string_agg(statement, E';\n' ORDER BY place, rank) AS script
  FROM statements
 WHERE CASE $7 WHEN 'empty' THEN true
               WHEN 'shadow' THEN place IN (20, 23, 40, 45, 46, 60, 61, 62, 70, 71, 72, 80, 81, 85,
                                            90, 91, 92)
               WHEN 'indexes' THEN place IN (41, 42, 44, 47, 82) END
HAVING count(*) > 0
