-- what: why a table cannot be made a partitioned one in one step, each reason a clause; no row: it can
-- servers: 14..
-- $1 schema text, $2 table text, $3 column text, $4 kind text: RANGE, LIST, HASH
-- $5 what a range is divided by text: time, ids, uuids; null: no range
-- returns: has_rows (the first one only), reason, is_light (a conversion beside the table can)
WITH target AS (
  SELECT c.*, format('%I.%I', n.nspname, c.relname) AS full_name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')
), key_column AS (
  SELECT a.attnum, a.atttypid, a.attgenerated
    FROM target t JOIN pg_attribute a ON a.attrelid = t.oid
   WHERE a.attname = $3::text AND NOT a.attisdropped AND a.attnum > 0
)
SELECT o.has_rows, o.reason, o.place IN (0, 8, 9) AS is_light
  FROM (
    SELECT 0 AS place, true AS has_rows, 'it holds rows' AS reason
      FROM target t
     WHERE query_to_xml(format('SELECT EXISTS (SELECT FROM %s) AS found', t.full_name),
                        false, false, '')::text LIKE '%true%'
     UNION ALL
    SELECT 1, false, format('it has no column "%s"', $3::text)
     WHERE NOT EXISTS (SELECT FROM key_column)
     UNION ALL
    SELECT 2, false, format('its column "%s" is of type %s, not %s', $3, format_type(k.atttypid, NULL),
                            CASE $5 WHEN 'ids' THEN 'bigint or integer' WHEN 'uuids' THEN 'uuid'
                                    ELSE 'a date or a timestamp' END ||
                            CASE WHEN $5 = 'time' AND k.atttypid = 'uuid'::regtype
                                 THEN ': uuidv7: true in the deck says that it has ids of version 7'
                                 WHEN $5 = 'time' AND k.atttypid IN ('int8'::regtype, 'int4'::regtype)
                                 THEN ': such as every: 10000000 ids divides it'
                                 ELSE '' END)
      FROM key_column k
     WHERE $4 = 'RANGE'
       AND NOT CASE $5 WHEN 'ids' THEN k.atttypid IN ('int8'::regtype, 'int4'::regtype)
                       WHEN 'uuids' THEN k.atttypid = 'uuid'::regtype
                       ELSE k.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype,
                                           'date'::regtype) END
     UNION ALL
    SELECT 2, false, format('its column "%s" is generated', $3::text)
      FROM key_column k WHERE k.attgenerated <> ''
     UNION ALL
    SELECT 3, false, format('foreign key "%s" of %s points to it', k.conname, k.conrelid::regclass)
      FROM target t JOIN pg_constraint k ON k.confrelid = t.oid AND k.contype = 'f'
     UNION ALL
    SELECT 4, false, format('unique index "%s" does not contain "%s"', c.relname, $3::text)
      FROM target t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class c ON c.oid = i.indexrelid
     WHERE i.indisunique
       AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid
                                                     AND k.contype IN ('p', 'u'))
       AND NOT EXISTS (SELECT FROM key_column k WHERE k.attnum = ANY (i.indkey))
     UNION ALL
    SELECT 5, false, format('it has the exclusion constraint "%s"', k.conname)
      FROM target t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'x'
     UNION ALL
    SELECT 6, false, 'it is unlogged' FROM target t WHERE t.relpersistence = 'u'
     UNION ALL
    SELECT 6, false, 'it is of a type (OF)' FROM target t WHERE t.reloftype <> 0
     UNION ALL
    SELECT 6, false, 'it is a partition itself' FROM target t WHERE t.relispartition
     UNION ALL
    SELECT 6, false, 'it has a rule' FROM target t
     WHERE EXISTS (SELECT FROM pg_rewrite w WHERE w.ev_class = t.oid)
     UNION ALL
    SELECT 6, false, 'an index is its replica identity' FROM target t WHERE t.relreplident = 'i'
     UNION ALL
    SELECT 7, false, format('inheritance binds it to %s',
                            CASE WHEN h.inhrelid = t.oid THEN h.inhparent
                                 ELSE h.inhrelid END::regclass)
      FROM target t JOIN pg_inherits h ON t.oid IN (h.inhrelid, h.inhparent)
     WHERE NOT t.relispartition AND t.relkind = 'r'
     UNION ALL
    SELECT 8, false, format('publication "%s" names it', p.pubname)
      FROM target t JOIN pg_publication_rel r ON r.prrelid = t.oid
      JOIN pg_publication p ON p.oid = r.prpubid
     UNION ALL
    SELECT DISTINCT 9, false, format('view %s reads it', r.ev_class::regclass)
      FROM target t
      JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
                      AND d.classid = 'pg_rewrite'::regclass
      JOIN pg_rewrite r ON r.oid = d.objid AND r.ev_class <> t.oid) o
 ORDER BY o.place, o.reason
