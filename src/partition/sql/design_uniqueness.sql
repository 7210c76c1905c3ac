-- what: which statements rely on a unique key of a table that gets the partition columns
-- servers: 14..
-- variables: extension_schema, schema, table, columns (text[])
-- returns: warning
WITH key AS (
  SELECT k.conname, ARRAY(SELECT '\m"?' || regexp_replace(a.attname, '(\W)', '\\\1', 'g') || '"?\M'
                            FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)) AS words
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = :'schema' AND c.relname = :'table' AND k.contype IN ('p', 'u')
     AND EXISTS (SELECT FROM unnest(:'columns'::text[]) AS p(name)
                  WHERE NOT EXISTS (SELECT FROM pg_attribute a
                                     WHERE a.attrelid = k.conrelid AND a.attname = p.name
                                       AND a.attnum = ANY (k.conkey)))
), words AS (
  SELECT '\m"?' || regexp_replace(:'table', '(\W)', '\\\1', 'g') || '"?\M' AS of_table,
         ARRAY(SELECT '\m"?' || regexp_replace(name, '(\W)', '\\\1', 'g') || '"?\M'
                 FROM unnest(:'columns'::text[]) AS p(name)) AS of_columns
), s AS (
  SELECT s.calls, left(regexp_replace(s.query, '\s+', ' ', 'g'), 90) AS query, w.of_columns,
         substring(s.query FROM '(?i)\mon\s+conflict\s*(\([^)]*\)|on\s+constraint\s+[^\s(]+|do\M)') AS conflict,
         regexp_replace(substring(s.query FROM '(?i)\mgroup\s+by\s+([^)]*)'),
                        '\m(order\s+by|having|limit|offset|union|window)\M.*', '', 'i') AS grouping,
         s.query ~* ('\mmerge\s+into\s+([\w"]+\.)?' || w.of_table) AS is_merge
    FROM words w CROSS JOIN :"extension_schema".pg_stat_statements s
   WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
     AND s.query ~* w.of_table AND s.query ~* '^\s*(with|select|insert|merge)\M'
), relying AS (
  SELECT s.calls, s.query,
         CASE WHEN conflict LIKE '(%' AND NOT conflict ~* ALL (of_columns)
              THEN 'name the old key in ON CONFLICT and will fail'
              WHEN conflict ~* '^on' AND EXISTS (SELECT FROM key WHERE conname = btrim(
                     substring(conflict FROM '\S+$'), '"'))
                OR conflict ~* '^do'
              THEN 'have ON CONFLICT, where a row of the same key with another partition column is no '
                   'conflict any more'
              WHEN is_merge
              THEN 'are MERGE, where the key will not keep a second row out any more'
              WHEN EXISTS (SELECT FROM key WHERE grouping ~* ALL (key.words)) AND NOT grouping ~* ALL (of_columns)
              THEN 'group by the old key alone, and will fail if they select other columns' END AS how
    FROM s
   WHERE EXISTS (SELECT FROM key)
)
SELECT format('%s statements (%s calls) %s: %s', count(*), sum(calls), how,
              string_agg(query, ' | ' ORDER BY calls DESC, query)) AS warning
  FROM relying WHERE how IS NOT NULL GROUP BY how ORDER BY how
