-- what: autovacuum switched off, for the server or for a table
-- check: autovacuum
-- scope: database
-- rank: 18
-- servers: 14..18
-- A table of under 1000 rows may do without.
SELECT 'warning',
       format('autovacuum is off for %s', t.sql_name),
       format('about %s rows, %s of them dead', u.n_live_tup + u.n_dead_tup, u.n_dead_tup),
       'measured',
       format('ALTER TABLE %s RESET (autovacuum_enabled);', t.sql_name)
  FROM monitoring.src_tables AS t
  JOIN pg_class AS c ON c.oid = t.relid
  LEFT JOIN pg_stat_all_tables AS u ON u.relid = t.relid
 WHERE t.relkind <> 'p'
   AND EXISTS (SELECT FROM pg_options_to_table(c.reloptions) AS o
                WHERE o.option_name = 'autovacuum_enabled' AND NOT o.option_value::boolean)
   AND greatest(u.n_live_tup + u.n_dead_tup, c.reltuples) >= 1000
 ORDER BY u.n_dead_tup DESC NULLS LAST
 LIMIT 50;
