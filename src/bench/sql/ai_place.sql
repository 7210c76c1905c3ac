-- what: whether the benchmark may work off AI tasks in this database
-- servers: 14..
-- returns: one row; data_directory null: not for us to know
SELECT pg_is_in_recovery() AS is_standby,
       to_regclass('ai_tasks') IS NOT NULL AND to_regclass('ai_task_queue') IS NOT NULL
         AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('ai_task_queue')
                                                AND attname = 'place')
         AND to_regclass('ai_results') IS NOT NULL AND to_regclass('projects') IS NOT NULL
         AND to_regclass('ai_models') IS NOT NULL AS has_tables,
       coalesce(shobj_description(oid, 'pg_database'), '') LIKE 'made by pgdeck %' AS is_ours,
       (SELECT setting FROM pg_settings WHERE name = 'data_directory') AS data_directory
  FROM pg_database
 WHERE datname = current_database();
