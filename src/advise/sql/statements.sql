-- what: what pg_stat_statements counted in this database, the most time first, and how many
--       statements it has that are not among these rows
-- servers: 14..
-- variables: schema
WITH counted AS (
    SELECT s.queryid::text, t.query, sum(s.calls)::float8 AS calls,
           sum(s.total_exec_time)::float8 AS total_ms, sum(s.rows)::float8 AS rows,
           t.query = '<insufficient privilege>' AS is_hidden,
           t.query !~* '^[\s(]*(--|/\*|select|insert|update|delete|with|merge|table|values)'
             AND t.query <> '<insufficient privilege>' AS is_utility
      FROM :schema.pg_stat_statements(true) AS s
     CROSS JOIN LATERAL (SELECT CASE current_setting('server_encoding') WHEN 'SQL_ASCII'
                                THEN regexp_replace(s.query, '[^\x01-\x7f]', '?', 'g')
                                ELSE s.query END) AS t(query)
     WHERE s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
       AND t.query IS NOT NULL
     GROUP BY s.queryid, t.query
)
SELECT c.queryid, c.query, c.calls, c.total_ms, c.rows, c.is_hidden OR c.is_utility AS is_aside,
       count(*) FILTER (WHERE c.is_hidden) OVER () AS hidden,
       count(*) FILTER (WHERE c.is_utility) OVER () AS utilities,
       count(*) FILTER (WHERE NOT (c.is_hidden OR c.is_utility)) OVER () AS queries
  FROM counted c
 ORDER BY c.is_hidden OR c.is_utility, c.total_ms DESC
 LIMIT 2000
