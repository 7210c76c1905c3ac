-- what: sequences near the end of their range, or of the type of the column that they feed
-- check: sequences
-- scope: database
-- rank: 12
-- servers: 14..18
-- The column is the one that owns the sequence or has nextval() of it as its default. A sequence
-- that begins again by itself (CYCLE) does not end. A value is readable to who may use the
-- sequence. Where the type of the column cannot be changed in place (partition key, view, domain),
-- the remedy is a remark that says why.
WITH feeds AS (
    SELECT d.objid AS sequence_oid, d.refobjid AS table_oid, d.refobjsubid AS column_number
      FROM pg_depend AS d
     WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
       AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
     UNION
    SELECT d.refobjid, f.adrelid, f.adnum
      FROM pg_depend AS d
      JOIN pg_attrdef AS f ON f.oid = d.objid
     WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass
), fed AS MATERIALIZED (
    SELECT DISTINCT ON (f.sequence_oid) f.sequence_oid, f.table_oid, f.column_number,
           format('%I.%I', n.nspname, c.relname) AS column_table, a.attname AS column_name,
           coalesce(b.typname, y.typname) AS type_name,
           CASE WHEN b.oid IS NOT NULL THEN y.oid::regtype END AS domain,
           CASE coalesce(b.typname, y.typname)
                WHEN 'int2' THEN 32767 WHEN 'int4' THEN 2147483647
                ELSE 9223372036854775807 END AS most
      FROM feeds AS f
      JOIN pg_class AS c ON c.oid = f.table_oid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
      JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = f.column_number
      JOIN pg_type AS y ON y.oid = a.atttypid
      LEFT JOIN pg_type AS b ON b.oid = y.typbasetype AND y.typtype = 'd'
     ORDER BY f.sequence_oid, most, a.attinhcount
), sequence AS MATERIALIZED (
    SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS sql_name, q.seqstart, q.seqmax, q.seqmin,
           q.seqincrement, has_sequence_privilege(c.oid, 'SELECT, USAGE') AS readable,
           CASE WHEN has_sequence_privilege(c.oid, 'SELECT, USAGE')
                THEN pg_sequence_last_value(c.oid) END AS last_value
      FROM pg_sequence AS q
      JOIN pg_class AS c ON c.oid = q.seqrelid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE NOT q.seqcycle AND c.relpersistence <> 't'
), measured AS (
    SELECT s.*, f.table_oid, f.column_number, f.column_table, f.column_name, f.type_name, f.domain,
           CASE WHEN s.seqincrement > 0 THEN least(s.seqmax, f.most)
                ELSE greatest(s.seqmin, -f.most) END AS ends_at
      FROM sequence AS s
      LEFT JOIN fed AS f ON f.sequence_oid = s.oid
), used AS (
    SELECT m.*, format('ALTER SEQUENCE %s AS bigint NO MAXVALUE;', m.sql_name) AS widen,
           trunc(100.0 * abs(m.last_value - least(m.seqstart, m.last_value))
                      / nullif(abs(m.ends_at - m.seqstart::numeric), 0), 1) AS percent
      FROM measured AS m
     WHERE m.seqincrement > 0
     UNION ALL
    SELECT m.*, format('ALTER SEQUENCE %s AS bigint NO MINVALUE;', m.sql_name),
           trunc(100.0 * abs(m.last_value - greatest(m.seqstart, m.last_value))
                      / nullif(abs(m.ends_at - m.seqstart::numeric), 0), 1)
      FROM measured AS m
     WHERE m.seqincrement < 0
), near AS (
    SELECT u.*,
           CASE WHEN u.domain IS NOT NULL THEN format('has the domain %s', u.domain)
                WHEN EXISTS (SELECT FROM pg_partitioned_table AS p
                              WHERE p.partrelid = u.table_oid
                                AND u.column_number = ANY (p.partattrs::int2[]))
                THEN 'is part of the partition key'
                WHEN EXISTS (SELECT FROM pg_depend AS d
                              WHERE d.classid = 'pg_rewrite'::regclass
                                AND d.refclassid = 'pg_class'::regclass
                                AND d.refobjid = u.table_oid AND d.refobjsubid = u.column_number)
                THEN 'is used by a view' END AS hindrance
      FROM used AS u
     WHERE u.percent >= monitoring.threshold('sequence_warning', '75')::numeric
)
SELECT CASE WHEN u.percent >= monitoring.threshold('sequence_critical', '90')::numeric
            THEN 'critical' ELSE 'warning' END,
       format('sequence %s has used %s %% of its values', u.sql_name, u.percent),
       format('at %s of %s%s', u.last_value, u.ends_at,
              CASE WHEN u.column_name IS NOT NULL
                   THEN format('; feeds %s.%I, %s', u.column_table, u.column_name, u.type_name)
              END),
       'measured',
       CASE WHEN u.type_name IN ('int2', 'int4') AND u.hindrance IS NOT NULL
            THEN format('-- %s.%I %s, so its type cannot be changed in place', u.column_table,
                        u.column_name, u.hindrance)
            WHEN u.type_name IN ('int2', 'int4')
            THEN format('ALTER TABLE %s ALTER COLUMN %I TYPE bigint; %s -- rewrites the table '
                        'while nobody can read it; columns that refer to it need the same',
                        u.column_table, u.column_name, u.widen)
            ELSE u.widen END
  FROM near AS u
 UNION ALL
SELECT 'unknown', format('values of %s sequences are not visible', count(*)),
       format('%I has neither USAGE nor SELECT on them', current_user),
       'not measurable with this role', NULL
  FROM sequence AS s
 WHERE NOT s.readable
HAVING count(*) > 0;
