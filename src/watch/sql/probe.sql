-- what: what can be asked in a database
-- servers: 14..18
SELECT pg_catalog.has_function_privilege(
           'pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)', 'EXECUTE')
       AND pg_catalog.has_function_privilege('pg_catalog.pg_stat_file(text, boolean)', 'EXECUTE')
           AS may_read_log,
       (SELECT n.nspname
          FROM pg_catalog.pg_extension AS e
          JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
         WHERE e.extname = 'pg_stat_statements'
           AND pg_catalog.current_setting('pg_stat_statements.max', true) IS NOT NULL)
           AS statements_schema,
       EXISTS (SELECT FROM pg_catalog.pg_extension AS e
                 JOIN pg_catalog.pg_proc AS p ON p.pronamespace = e.extnamespace
                WHERE e.extname = 'pg_stat_statements' AND p.proname = 'pg_stat_statements'
                  AND 'stats_since' = ANY (p.proargnames)) AS has_stats_since,
       pg_catalog.to_regclass('monitoring.statement_history') IS NOT NULL AS has_history,
       pg_catalog.to_regprocedure('monitoring.record_performance_metrics()') IS NOT NULL
           AND NOT pg_catalog.pg_is_in_recovery() AS has_recorder,
       pg_catalog.to_regclass('monitoring.target_history'
           || pg_catalog.to_char(pg_catalog.now() AT TIME ZONE 'UTC', '_YYYYMMDD')) IS NOT NULL
       AND coalesce((SELECT pg_catalog.has_table_privilege(c.oid, 'INSERT')
                   FROM pg_catalog.pg_class AS c
                  WHERE c.oid = pg_catalog.to_regclass('monitoring.target_history')), false)
           AND NOT pg_catalog.pg_is_in_recovery() AS has_targets,
       pg_catalog.to_regclass('monitoring.growth_history') IS NOT NULL
           AND pg_catalog.to_regclass('monitoring.src_sequences') IS NOT NULL AS has_growth,
       coalesce((SELECT pg_catalog.has_table_privilege(c.oid, 'INSERT')
                   FROM pg_catalog.pg_class AS c
                  WHERE c.oid = pg_catalog.to_regclass('monitoring.growth_history')), false)
           AND NOT pg_catalog.pg_is_in_recovery() AS may_record_growth,
       -- what ended lately is found by an index on created_at, or the table is small
       (SELECT count(*) = 4
          FROM pg_catalog.pg_attribute AS a
         WHERE a.attrelid = pg_catalog.to_regclass('public.ai_tasks')
           AND (a.attname = 'status' OR a.attname IN ('created_at', 'started_at', 'completed_at')
                                        AND a.atttypid = 'timestamptz'::pg_catalog.regtype))
       AND EXISTS (SELECT FROM pg_catalog.pg_index AS i
                     JOIN pg_catalog.pg_attribute AS a
                       ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                    WHERE i.indrelid = pg_catalog.to_regclass('public.ai_tasks')
                      AND a.attname = 'created_at' AND i.indisvalid AND i.indpred IS NULL)
           AS has_ai_tasks;
