-- what: tables with which autovacuum as it is set cannot keep up, and what would help
-- servers: 14..
-- returns: text, sql
WITH state AS (
    SELECT format('%I.%I', n.nspname, c.relname) AS name, c.reltuples AS rows, s.n_dead_tup AS dead,
           s.autovacuum_count,
           coalesce((SELECT option_value FROM pg_options_to_table(c.reloptions)
                      WHERE option_name = 'autovacuum_enabled'), 'on')::boolean AS is_on,
           coalesce((SELECT option_value FROM pg_options_to_table(c.reloptions)
                      WHERE option_name = 'autovacuum_vacuum_cost_delay'),
                    current_setting('autovacuum_vacuum_cost_delay')) AS delay,
           least(coalesce((SELECT option_value FROM pg_options_to_table(c.reloptions)
                      WHERE option_name = 'autovacuum_vacuum_threshold'),
                    current_setting('autovacuum_vacuum_threshold'))::float8
           + coalesce((SELECT option_value FROM pg_options_to_table(c.reloptions)
                        WHERE option_name = 'autovacuum_vacuum_scale_factor'),
                      current_setting('autovacuum_vacuum_scale_factor'))::float8 * c.reltuples,
             CASE WHEN current_setting('autovacuum_vacuum_max_threshold', true)::float8 >= 0
                  THEN current_setting('autovacuum_vacuum_max_threshold', true)::float8 END)
             AS starts
      FROM pg_class AS c
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
      JOIN pg_stat_user_tables AS s ON s.relid = c.oid
     WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.reltuples > 0
)
SELECT format('autovacuum is off for %s, which has %s dead rows', name, dead) AS text,
       format('ALTER TABLE %s RESET (autovacuum_enabled)', name) AS sql, dead
  FROM state WHERE NOT is_on AND dead > starts
 UNION ALL
SELECT format('autovacuum comes to %s, of %s rows, only after %s dead ones', name, rows::bigint,
              round(starts)),
       format('ALTER TABLE %s SET (autovacuum_vacuum_scale_factor = %s, '
              'autovacuum_analyze_scale_factor = %s)', name,
              least(greatest(round((100000 / rows)::numeric, 4), 0.0005), 0.1),
              least(greatest(round((100000 / rows)::numeric, 4), 0.0005), 0.1)), dead
  FROM state WHERE is_on AND starts >= 1000000
 UNION ALL
SELECT format('autovacuum cannot keep up with %s: %s dead rows, although it starts at %s', name,
              dead, round(starts)),
       format('ALTER TABLE %s SET (autovacuum_vacuum_cost_limit = 2000, '
              'autovacuum_vacuum_cost_delay = 1)', name), dead
  FROM state WHERE is_on AND starts < 1000000 AND dead > 3 * starts AND autovacuum_count > 0
               AND delay NOT IN ('0', '1', '1ms')
 ORDER BY 3 DESC
 LIMIT 20
