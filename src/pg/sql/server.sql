-- what: the server itself and the role that looks at it
-- servers: 14..
-- returns: one row
SELECT current_setting('server_version_num')::int AS version,
       version() AS version_text,
       (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier,
       current_user AS role,
       current_database() AS database,
       r.rolsuper AS is_superuser,
       r.rolcreaterole OR r.rolsuper AS can_create_role,
       r.rolcreatedb OR r.rolsuper AS can_create_database,
       pg_is_in_recovery() AS is_in_recovery,
       CASE WHEN pg_has_role(current_user, 'pg_read_all_settings', 'USAGE')
            THEN current_setting('data_directory') ELSE '' END AS data_directory,
       has_function_privilege('pg_show_all_file_settings()', 'EXECUTE') AS can_read_files,
       has_function_privilege('pg_stat_file(text, boolean)', 'EXECUTE') AS can_stat_files,
       has_function_privilege('pg_reload_conf()', 'EXECUTE') AS can_reload,
       CASE WHEN EXISTS (SELECT FROM pg_stat_activity WHERE application_name ILIKE 'patroni%')
            THEN 'it is connected' ELSE '' END AS patroni,
       coalesce((SELECT has_table_privilege(c.oid, 'SELECT')
                   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE n.nspname = 'pgdeck' AND c.relname = 'journal'
                    AND c.relkind = 'r'
                    AND (c.relowner = r.oid
                         OR (SELECT o.rolsuper FROM pg_roles o WHERE o.oid = c.relowner)
                         OR NOT r.rolsuper AND pg_has_role(c.relowner, 'MEMBER'))
                    AND has_schema_privilege(n.oid, 'USAGE')), false) AS has_journal
  FROM pg_roles r
 WHERE r.rolname = current_user
