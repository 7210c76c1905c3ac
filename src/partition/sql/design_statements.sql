-- what: what speaks against a way of partitioning a table, from the statements that name it
-- servers: 14..
-- variables: extension_schema, table, column
WITH names AS (
  SELECT '\m"?' || regexp_replace(:'table', '(\W)', '\\\1', 'g') || '"?\M' AS of_table,
         '\m"?' || regexp_replace(:'column', '(\W)', '\\\1', 'g') || '"?\M' AS of_column
), s AS (
  SELECT s.query, s.calls, s.query ~* '\mwhere\M.*' AND s.query !~* ('\mwhere\M.*' || of_column) AS is_blind,
         s.query ~* ('^\s*update\s+.*' || of_table || '.*\mset\M((?!\mwhere\M).)*' || of_column || '\s*=')
           AS is_moving
    FROM names CROSS JOIN :"extension_schema".pg_stat_statements s
   WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
     AND s.query ~* of_table AND s.query ~* '^\s*(with|select|insert|update|delete|merge)\M'
)
SELECT format('%s %% of the calls that look for rows do not name %s, so that each of them reads every partition '
              '(pg_stat_statements)', round(100 * sum(calls) FILTER (WHERE is_blind) / sum(calls)), :'column')
       AS warning
  FROM s WHERE query ~* '\mwhere\M'
HAVING sum(calls) FILTER (WHERE is_blind) > 0.05 * sum(calls)
 UNION ALL
SELECT format('%s is changed by %s statements, %s calls: each moves the row, and fails with 40001 when another '
              'session changes the same row at once', :'column', count(*), sum(calls))
  FROM s WHERE is_moving HAVING count(*) > 0
