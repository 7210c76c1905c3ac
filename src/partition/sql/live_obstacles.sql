-- what: why a table in use cannot be converted: each reason a clause with its cure
-- servers: 14..
-- $1 schema text, $2 table text, $3 partition columns text[], $4 is a lesser key accepted boolean
-- returns: reason
WITH target AS (
  SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relname = $2
)
SELECT o.reason
  FROM (
    SELECT 1 AS place, 'it has no primary key and no other unique key of NOT NULL columns: '
                       'ALTER TABLE ... ADD PRIMARY KEY' AS reason
      FROM target t
     WHERE NOT EXISTS (SELECT FROM pg_index i
                        WHERE i.indrelid = t.oid AND i.indisunique AND i.indimmediate
                          AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
                          AND NOT EXISTS (SELECT FROM pg_attribute a
                                           WHERE a.attrelid = t.oid AND NOT a.attnotnull
                                             AND a.attnum = ANY (i.indkey::int2[])))
     UNION ALL
    SELECT 2, format('its column "%s" may be null: add CHECK (%1$I IS NOT NULL) NOT VALID, VALIDATE it, '
                     'then ALTER COLUMN %1$I SET NOT NULL', a.attname)
      FROM target t JOIN pg_attribute a ON a.attrelid = t.oid
     WHERE a.attname = ANY ($3::text[]) AND NOT a.attnotnull
     UNION ALL
    SELECT 3, format('%s would get %s as its last column, which promises less: accept_key: true in the '
                     'deck says that this is fine', pg_get_constraintdef(k.oid), p.name)
      FROM target t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype IN ('p', 'u')
     CROSS JOIN unnest($3::text[]) AS p(name)
     WHERE NOT $4::boolean
       AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname = p.name
                                                    AND a.attnum = ANY (k.conkey))
     UNION ALL
    SELECT 4, format('its constraint "%s" is NOT VALID: ALTER TABLE ... VALIDATE CONSTRAINT', k.conname)
      FROM target t JOIN pg_constraint k ON k.conrelid = t.oid
     WHERE k.contype IN ('c', 'f') AND NOT k.convalidated
     UNION ALL
    SELECT 5, format('its row trigger "%s" reads transition tables', g.tgname)
      FROM target t JOIN pg_trigger g ON g.tgrelid = t.oid
     WHERE g.tgtype & 1 = 1 AND (g.tgoldtable IS NOT NULL OR g.tgnewtable IS NOT NULL)
     UNION ALL
    SELECT 6, format('publication "%s" sends partitions under their own names: ALTER PUBLICATION ... '
                     'SET (publish_via_partition_root = true), or take the table out of it', p.pubname)
      FROM target t JOIN pg_publication_rel r ON r.prrelid = t.oid
      JOIN pg_publication p ON p.oid = r.prpubid WHERE NOT p.pubviaroot
     UNION ALL
    SELECT 6, format('publication "%s" is FOR ALL TABLES, and would send the copy, too: name its tables',
                     p.pubname)
      FROM pg_publication p WHERE p.puballtables
     UNION ALL
    SELECT 6, format('publication "%s" names it, and it has no replica identity: ALTER TABLE ... REPLICA '
                     'IDENTITY FULL, or a primary key', p.pubname)
      FROM target t JOIN pg_publication_rel r ON r.prrelid = t.oid
      JOIN pg_publication p ON p.oid = r.prpubid
     WHERE t.relreplident = 'n'
        OR (t.relreplident = 'd' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = t.oid
                                                                          AND i.indisprimary))
     UNION ALL
    SELECT DISTINCT 7, format('%s depends on it and would stay with the old table: drop it, and make it '
                              'anew afterwards', pg_describe_object(d.classid, d.objid, d.objsubid))
      FROM target t
      JOIN pg_depend d ON (d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid)
                       OR (d.refclassid = 'pg_type'::regclass AND d.refobjid IN (t.reltype,
                           (SELECT typarray FROM pg_type WHERE oid = t.reltype)))
     WHERE d.deptype = 'n'
       AND NOT (d.classid = 'pg_rewrite'::regclass
                AND EXISTS (SELECT FROM pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class
                             WHERE r.oid = d.objid AND v.relkind = 'v'))
       AND NOT (d.classid = 'pg_constraint'::regclass
                AND EXISTS (SELECT FROM pg_constraint k WHERE k.oid = d.objid
                                                          AND (k.conrelid = t.oid OR k.confrelid = t.oid)))
       AND NOT (d.classid = 'pg_trigger'::regclass
                AND EXISTS (SELECT FROM pg_trigger g WHERE g.oid = d.objid AND g.tgrelid = t.oid))
       AND NOT (d.classid = 'pg_policy'::regclass
                AND EXISTS (SELECT FROM pg_policy y WHERE y.oid = d.objid AND y.polrelid = t.oid))
       AND d.classid NOT IN ('pg_publication_rel'::regclass, 'pg_attrdef'::regclass,
                             'pg_statistic_ext'::regclass)
     UNION ALL
    SELECT DISTINCT 7, format('%s groups by the columns of %s alone, which will not be a key any more: group '
                              'by %s, too', pg_describe_object(d.classid, d.objid, d.objsubid), k.conname,
                              array_to_string($3::text[], ', '))
      FROM target t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype IN ('p', 'u')
      JOIN pg_depend d ON d.refclassid = 'pg_constraint'::regclass AND d.refobjid = k.oid
     WHERE d.deptype = 'n' AND d.classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass)
       AND EXISTS (SELECT FROM unnest($3::text[]) AS p(name)
                    WHERE NOT EXISTS (SELECT FROM pg_attribute a
                                       WHERE a.attrelid = t.oid AND a.attname = p.name
                                         AND a.attnum = ANY (k.conkey)))
     UNION ALL
    SELECT 8, format('the prepared transaction "%s" holds it: COMMIT PREPARED or ROLLBACK PREPARED', x.gid)
      FROM target t JOIN pg_locks l ON l.relation = t.oid AND l.pid IS NULL
      JOIN pg_locks o ON o.pid IS NULL AND o.locktype = 'transactionid'
                     AND o.virtualtransaction = l.virtualtransaction
      JOIN pg_prepared_xacts x ON x.transaction = o.transactionid
     WHERE l.locktype = 'relation'
     UNION ALL
    SELECT 8, format('pid %s (%s) has held it in an idle transaction since %s: end it', a.pid, a.usename,
                     a.xact_start)
      FROM target t JOIN pg_locks l ON l.relation = t.oid AND l.locktype = 'relation'
      JOIN pg_stat_activity a ON a.pid = l.pid
     WHERE a.state LIKE 'idle in transaction%' AND a.xact_start < now() - interval '5 minutes') o
 ORDER BY o.place, o.reason
