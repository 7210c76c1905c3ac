-- what: range partitions that run out, and rows that landed in a default partition
-- check: partitions
-- scope: database
-- rank: 30
-- servers: 14..18
-- Looks at tables with one range key of a date or time type, or of uuids of version 7, whose newest
-- partition ended less than ten periods ago; older ones are archives, and one of over ten years is
-- no period. And at those by integers that come of a sequence. pg_get_expr(bound, 0) does not lock
-- the partition, with the relation's oid it waits behind a queued ALTER TABLE.
WITH parent AS (
    SELECT p.partrelid, p.partstrat, p.partdefid, k.type,
           format('%I.%I', n.nspname, c.relname) AS sql_name, n.nspname, c.relname
      FROM pg_partitioned_table AS p
      JOIN pg_class AS c ON c.oid = p.partrelid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
      LEFT JOIN LATERAL (
           SELECT a.atttypid AS type FROM pg_attribute AS a
            WHERE a.attrelid = p.partrelid AND a.attnum = p.partattrs[0] AND p.partnatts = 1
              AND a.atttypid IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype,
                                'uuid'::regtype, 'bigint'::regtype, 'integer'::regtype)
           ) AS k ON true
), bound AS (
    SELECT p.partrelid, p.type,
           regexp_match(pg_get_expr(c.relpartbound, 0),
                        '^FOR VALUES FROM \((.*)\) TO \((.*)\)$') AS ends
      FROM parent AS p
      JOIN pg_inherits AS i ON i.inhparent = p.partrelid
      JOIN pg_class AS c ON c.oid = i.inhrelid
     WHERE p.partstrat = 'r' AND p.type IS NOT NULL AND c.oid <> p.partdefid
), period AS (
    SELECT b.partrelid, b.type,
           CASE WHEN b.ends[1] NOT LIKE '''%' THEN '-infinity'
                WHEN b.ends[1] ~ '^''[0-9a-f]{8}-[0-9a-f]{4}-'
                THEN to_timestamp(('x' || left(replace(substr(b.ends[1], 2), '-', ''), 12))::bit(48)::bigint
                                  / 1000.0)
                ELSE trim(b.ends[1], '''')::timestamptz END AS low,
           CASE WHEN b.ends[2] NOT LIKE '''%' THEN 'infinity'
                WHEN b.ends[2] ~ '^''[0-9a-f]{8}-[0-9a-f]{4}-'
                THEN to_timestamp(('x' || left(replace(substr(b.ends[2], 2), '-', ''), 12))::bit(48)::bigint
                                  / 1000.0)
                ELSE trim(b.ends[2], '''')::timestamptz END AS high
      FROM bound AS b
     WHERE b.type NOT IN ('bigint'::regtype, 'integer'::regtype)
), number AS (
    SELECT b.partrelid, max(CASE WHEN b.ends[2] LIKE '''%' THEN trim(b.ends[2], '''')::numeric
                                 ELSE 'Infinity' END) AS high,
           max(CASE WHEN b.ends[1] LIKE '''%' AND b.ends[2] LIKE '''%'
                    THEN trim(b.ends[2], '''')::numeric - trim(b.ends[1], '''')::numeric END) AS width
      FROM bound AS b
     WHERE b.type IN ('bigint'::regtype, 'integer'::regtype)
     GROUP BY b.partrelid
), given AS (
    SELECT n.partrelid, n.high, n.width, max(pg_sequence_last_value(d.objid)) AS last
      FROM number AS n
      JOIN pg_partitioned_table AS p ON p.partrelid = n.partrelid
      JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = n.partrelid
                         AND d.refobjsubid = p.partattrs[0] AND d.deptype IN ('a', 'i')
                         AND d.classid = 'pg_class'::regclass
      JOIN pg_sequence AS q ON q.seqrelid = d.objid
     WHERE has_sequence_privilege(d.objid, 'SELECT, USAGE')
     GROUP BY n.partrelid, n.high, n.width
), newest AS (
    SELECT DISTINCT ON (t.partrelid) t.partrelid, t.type, t.high,
           CASE WHEN NOT isfinite(t.low) OR NOT isfinite(t.high)
                     OR t.high - t.low > interval '3700 days' THEN NULL
                WHEN t.high - t.low BETWEEN interval '28 days' AND interval '31 days'
                THEN interval '1 month' ELSE t.high - t.low END AS width
      FROM period AS t
     ORDER BY t.partrelid, t.high DESC
), missing AS (
    SELECT n.partrelid,
           string_agg(format('CREATE TABLE %1$s (LIKE %2$s INCLUDING ALL EXCLUDING IDENTITY); '
                             'ALTER TABLE %2$s ATTACH PARTITION %1$s '
                             'FOR VALUES FROM (%3$L) TO (%4$L);',
                             format('%I.%I', p.nspname,
                                    left(p.relname, 40) || to_char(s.low, '_YYYYMMDD"t"HH24MI')),
                             p.sql_name, e.low, e.high), ' ' ORDER BY s.low) AS fix
      FROM newest AS n
      JOIN parent AS p ON p.partrelid = n.partrelid
     CROSS JOIN LATERAL generate_series(n.high, now() + n.width, n.width) AS s (low)
     CROSS JOIN LATERAL (
           SELECT max(u.bound) FILTER (WHERE u.is_low), max(u.bound) FILTER (WHERE NOT u.is_low)
             FROM (SELECT v.is_low, CASE WHEN n.type <> 'uuid'::regtype THEN v.at::text
                          ELSE overlay(lpad(to_hex((extract(epoch FROM v.at) * 1000)::bigint), 12, '0')
                                       PLACING '-' FROM 9 FOR 0) || '-0000-0000-000000000000' END AS bound
                     FROM (VALUES (true, s.low), (false, s.low + n.width)) AS v (is_low, at)) AS u
           ) AS e (low, high)
     WHERE n.high > now() - 10 * n.width
     GROUP BY n.partrelid
)
SELECT CASE WHEN n.high <= now() THEN 'critical' ELSE 'warning' END,
       format(CASE WHEN n.high <= now() THEN '%s has no partition for now' ELSE
              '%s has no partition for the next period' END, p.sql_name),
       format('the newest partition ends at %s; later rows %s', n.high,
              CASE WHEN p.partdefid <> 0 THEN 'go to the default partition'
                   ELSE 'are refused' END),
       'measured',
       m.fix
  FROM newest AS n
  JOIN parent AS p ON p.partrelid = n.partrelid
  JOIN missing AS m ON m.partrelid = n.partrelid
 WHERE n.high < now() + n.width
 UNION ALL
SELECT CASE WHEN g.last >= g.high - 1 THEN 'critical' ELSE 'warning' END,
       format(CASE WHEN g.last >= g.high - 1 THEN '%s has no partition for the next id' ELSE
              '%s has no partition for the ids after the next ones' END, p.sql_name),
       format('the newest partition ends at %s, the last id is %s; later rows %s', g.high, g.last,
              CASE WHEN p.partdefid <> 0 THEN 'go to the default partition'
                   ELSE 'are refused' END),
       'measured',
       format('CREATE TABLE %1$s (LIKE %2$s INCLUDING ALL EXCLUDING IDENTITY); '
              'ALTER TABLE %2$s ATTACH PARTITION %1$s FOR VALUES FROM (%3$L) TO (%4$L);',
              format('%I.%I', p.nspname, left(p.relname, 40) || '_i' || trunc(g.high)),
              p.sql_name, trunc(g.high), trunc(g.high + g.width))
  FROM given AS g
  JOIN parent AS p ON p.partrelid = g.partrelid
 WHERE g.high < 'Infinity' AND g.last + g.width >= g.high
 UNION ALL
SELECT CASE p.partstrat WHEN 'r' THEN 'warning' ELSE 'info' END,
       format('default partition %I.%I of %s holds about %s rows', n.nspname, c.relname,
              p.sql_name, coalesce(nullif(s.n_live_tup, 0), c.reltuples::bigint)),
       'a new partition for values that are there already cannot be attached, and reads of any '
       'partition key have to look here too',
       'estimate: PostgreSQL''s own counter',
       format('SELECT * FROM %I.%I LIMIT 100; -- which values? Make their partitions and move them',
              n.nspname, c.relname)
  FROM parent AS p
  JOIN pg_class AS c ON c.oid = p.partdefid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid
 WHERE s.n_live_tup > 0 OR c.reltuples > 0;
