-- what: every sequence, the column that it feeds, and how far it has come
-- object: view monitoring.src_sequences
-- servers: 14..18
-- The column is the one that owns the sequence or has nextval() of it as its default. A sequence
-- that begins again by itself (CYCLE) does not end, and is not here. A value is readable to who may
-- use the sequence.
CREATE OR REPLACE VIEW monitoring.src_sequences AS
WITH feeds AS (
    SELECT d.objid AS sequence_oid, d.refobjid AS table_oid, d.refobjsubid AS column_number
      FROM pg_catalog.pg_depend AS d
     WHERE d.classid = CAST('pg_catalog.pg_class' AS pg_catalog.regclass)
       AND d.refclassid = CAST('pg_catalog.pg_class' AS pg_catalog.regclass)
       AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
     UNION
    SELECT d.refobjid, f.adrelid, f.adnum
      FROM pg_catalog.pg_depend AS d
      JOIN pg_catalog.pg_attrdef AS f ON f.oid = d.objid
     WHERE d.classid = CAST('pg_catalog.pg_attrdef' AS pg_catalog.regclass)
       AND d.refclassid = CAST('pg_catalog.pg_class' AS pg_catalog.regclass)
), fed AS MATERIALIZED (
    SELECT DISTINCT ON (f.sequence_oid) f.sequence_oid, f.table_oid, f.column_number,
           pg_catalog.format('%I.%I', n.nspname, c.relname) AS column_table,
           a.attname AS column_name,
           coalesce(b.typname, y.typname) AS type_name,
           CASE WHEN b.oid IS NOT NULL THEN CAST(y.oid AS pg_catalog.regtype) END AS domain,
           CASE coalesce(b.typname, y.typname)
                WHEN 'int2' THEN 32767 WHEN 'int4' THEN 2147483647
                ELSE 9223372036854775807 END AS most
      FROM feeds AS f
      JOIN pg_catalog.pg_class AS c ON c.oid = f.table_oid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = f.column_number
      JOIN pg_catalog.pg_type AS y ON y.oid = a.atttypid
      LEFT JOIN pg_catalog.pg_type AS b ON b.oid = y.typbasetype AND y.typtype = 'd'
     ORDER BY f.sequence_oid, most, a.attinhcount
), sequence AS MATERIALIZED (
    SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS sql_name, q.seqstart,
           q.seqmax, q.seqmin, q.seqincrement,
           pg_catalog.has_sequence_privilege(c.oid, 'SELECT, USAGE') AS readable,
           CASE WHEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT, USAGE')
                THEN pg_catalog.pg_sequence_last_value(c.oid) END AS last_value
      FROM pg_catalog.pg_sequence AS q
      JOIN pg_catalog.pg_class AS c ON c.oid = q.seqrelid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE NOT q.seqcycle AND c.relpersistence <> 't'
), measured AS (
    SELECT s.*, f.table_oid, f.column_number, f.column_table, f.column_name, f.type_name, f.domain,
           CASE WHEN s.seqincrement > 0 THEN least(s.seqmax, f.most)
                ELSE greatest(s.seqmin, -f.most) END AS ends_at
      FROM sequence AS s
      LEFT JOIN fed AS f ON f.sequence_oid = s.oid
), used AS (
    SELECT m.*, pg_catalog.format('ALTER SEQUENCE %s AS bigint NO MAXVALUE;', m.sql_name) AS widen,
           pg_catalog.trunc(100.0 * (m.last_value - least(m.seqstart, m.last_value))
               / nullif(pg_catalog.abs(m.ends_at - CAST(m.seqstart AS numeric)), 0), 1) AS percent
      FROM measured AS m
     WHERE m.seqincrement > 0
     UNION ALL
    SELECT m.*, pg_catalog.format('ALTER SEQUENCE %s AS bigint NO MINVALUE;', m.sql_name),
           pg_catalog.trunc(100.0 * (greatest(m.seqstart, m.last_value) - m.last_value)
               / nullif(pg_catalog.abs(m.ends_at - CAST(m.seqstart AS numeric)), 0), 1)
      FROM measured AS m
     WHERE m.seqincrement < 0
)
SELECT u.oid AS sequence_oid,
       u.sql_name,
       u.table_oid,
       u.column_number,
       u.column_table,
       u.column_name,
       u.type_name,
       u.domain,
       u.seqmin AS least_value,
       u.seqincrement AS increment,
       u.last_value,
       u.ends_at,
       u.percent,
       u.widen,
       u.readable
  FROM used AS u;

COMMENT ON VIEW monitoring.src_sequences IS
'Every sequence that ends one day, with the column that it feeds, the last value that either can
hold, and the percent used; last_value is empty where this role may not read it (readable). Read the
health check "sequences" instead.';

GRANT SELECT ON monitoring.src_sequences TO pg_monitor;
