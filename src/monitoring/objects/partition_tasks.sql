-- what: which partitions a table lacks, and which are past their time, by what the deck says of it
-- object: function monitoring.partition_tasks(parent oid, policy jsonb)
-- servers: 14..18
-- after: monitoring.partition_position(bound text)
-- after: monitoring.partition_bound(edge numeric, policy jsonb)
-- Months and years count from year 0, days and weeks from 1970-01-05, a Monday, all in UTC; ids
-- from 0.
CREATE OR REPLACE FUNCTION monitoring.partition_tasks(parent oid, policy jsonb)
RETURNS TABLE (is_new boolean, name text, bound text, options text, owner text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET datestyle = 'ISO'
AS $function$
WITH settings AS (
    SELECT CAST(policy->>'every' AS integer) AS every, policy->>'unit' AS unit,
           CAST(policy->>'premake' AS integer) AS premake, policy->>'retain' AS retain,
           CAST(now() AS date) AS today,
           CASE policy->>'unit' WHEN 'id' THEN coalesce(CAST(CAST((xpath('//newest/text()',
                query_to_xml(format('SELECT max(%I) AS newest FROM %s', policy->>'column',
                                    CAST(parent AS regclass)), false, false, '')))[1] AS text)
                AS numeric), 0) END AS newest
), now_at AS (
    SELECT s.*,
           CASE WHEN s.unit = 'id' THEN floor(s.newest / s.every)
                WHEN s.unit IN ('day', 'week')
                THEN floor((s.today - date '1970-01-05')::numeric
                           / (s.every * CASE s.unit WHEN 'week' THEN 7 ELSE 1 END))
                ELSE floor((extract(year FROM s.today) * 12 + extract(month FROM s.today) - 1)
                           / (s.every * CASE s.unit WHEN 'year' THEN 12 ELSE 1 END)) END AS number
      FROM settings AS s
), edge AS ( -- positions are days since 1970-01-01, or ids
    SELECT g.i,
           CASE WHEN a.unit = 'id' THEN (a.number + g.i) * a.every
                WHEN a.unit IN ('day', 'week')
                THEN (a.number + g.i) * a.every * CASE a.unit WHEN 'week' THEN 7 ELSE 1 END
                     + (date '1970-01-05' - date '1970-01-01')
                ELSE CAST(timestamp '0001-01-01' + make_interval(months => CAST((a.number + g.i)
                     * a.every * CASE a.unit WHEN 'year' THEN 12 ELSE 1 END AS integer) - 12)
                     AS date) - date '1970-01-01' END AS position
      FROM now_at AS a CROSS JOIN LATERAL generate_series(0, a.premake + 1) AS g (i)
), there AS (
    SELECT c.relname, c.reloptions, c.oid, l.position AS lower, u.position AS upper
      FROM pg_inherits AS i
      JOIN pg_class AS c ON c.oid = i.inhrelid
     CROSS JOIN LATERAL regexp_match(pg_get_expr(c.relpartbound, 0),
                                     'FROM \((.+)\) TO \((.+)\)') AS b (bounds)
     CROSS JOIN LATERAL monitoring.partition_position(b.bounds[1]) AS l (position)
     CROSS JOIN LATERAL monitoring.partition_position(b.bounds[2]) AS u (position)
     WHERE i.inhparent = parent
), wanted AS (
    SELECT l.position AS lower, u.position AS upper, a.unit,
           CASE a.unit WHEN 'id' THEN 'i' || trunc(l.position)
                       WHEN 'day' THEN to_char(d.day, '"y"YYYY"m"MM"d"DD')
                       WHEN 'week' THEN to_char(d.day, '"y"IYYY"w"IW')
                       WHEN 'month' THEN to_char(d.day, '"y"YYYY"m"MM')
                       ELSE to_char(d.day, '"y"YYYY') END AS suffix
      FROM now_at AS a CROSS JOIN edge AS l JOIN edge AS u ON u.i = l.i + 1
     CROSS JOIN LATERAL (SELECT CASE WHEN a.unit <> 'id'
                                     THEN date '1970-01-01' + CAST(l.position AS integer) END)
                        AS d (day)
)
SELECT true, policy->>'prefix' || w.suffix,
       format('FOR VALUES FROM (%L) TO (%L)', bl.bound, bu.bound),
       (SELECT ' WITH (' || string_agg(format('%s = %L', o.option_name, o.option_value), ', ')
               || ')'
          FROM pg_options_to_table((SELECT t.reloptions FROM there AS t
                                     ORDER BY t.oid DESC LIMIT 1)) AS o),
       pg_get_userbyid((SELECT p.relowner FROM pg_class AS p WHERE p.oid = parent))
  FROM wanted AS w
 CROSS JOIN LATERAL monitoring.partition_bound(w.lower, policy) AS bl (bound)
 CROSS JOIN LATERAL monitoring.partition_bound(w.upper, policy) AS bu (bound)
 WHERE NOT EXISTS (SELECT FROM there AS t WHERE t.lower < w.upper AND t.upper > w.lower)
 UNION ALL
SELECT false, t.relname, NULL, NULL, NULL
  FROM there AS t CROSS JOIN settings AS s
 WHERE s.retain IS NOT NULL
   AND t.upper <= CASE WHEN s.unit = 'id'
                       THEN s.newest - CAST(substring(s.retain FROM '^[0-9]+') AS numeric)
                       ELSE CAST(s.today - CASE WHEN s.unit <> 'id' THEN CAST(s.retain AS interval)
                                           END AS date) - date '1970-01-01' END
$function$;

COMMENT ON FUNCTION monitoring.partition_tasks(parent oid, policy jsonb) IS
'What maintain_partitions() is about to do at one table: partitions to make (is_new) and to drop.';

GRANT EXECUTE ON FUNCTION monitoring.partition_tasks(parent oid, policy jsonb) TO pg_monitor;
