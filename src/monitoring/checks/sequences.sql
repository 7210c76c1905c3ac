-- what: sequences near the end of their range, or of the type of the column that they feed
-- check: sequences
-- scope: database
-- rank: 12
-- servers: 14..18
-- Where the type of the column cannot be changed in place (view, domain) the numbers below zero are
-- as many again; where those may not fit either (partition key, domain with a condition) the remedy
-- is a remark that says why.
WITH near AS (
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
                THEN 'is used by a view' END AS hindrance,
           u.increment > 0 AND u.least_value > 0
               AND NOT EXISTS (SELECT FROM pg_partitioned_table AS p
                                WHERE p.partrelid = u.table_oid
                                  AND u.column_number = ANY (p.partattrs::int2[]))
               AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.contypid = u.domain::oid)
               AS has_negatives,
           CASE u.type_name WHEN 'int2' THEN -32768 ELSE -2147483648 END AS lowest
      FROM monitoring.src_sequences AS u
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
       CASE WHEN u.type_name IN ('int2', 'int4') AND u.hindrance IS NOT NULL AND u.has_negatives
            THEN format('ALTER SEQUENCE %s MINVALUE %s RESTART WITH %s; -- goes on from there: a '
                        'respite. %s.%I %s, so its type cannot be changed in place', u.sql_name,
                        u.lowest, u.lowest, u.column_table, u.column_name, u.hindrance)
            WHEN u.type_name IN ('int2', 'int4') AND u.hindrance IS NOT NULL
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
  FROM monitoring.src_sequences AS s
 WHERE NOT s.readable
HAVING count(*) > 0;
