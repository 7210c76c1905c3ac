-- what: whether it is known afterwards who came in and who changed what
-- item: logging and audit
-- ok: connections are logged, and changes where the deck asks for it
-- scope: server
-- servers: 14..
-- $1 deck json
-- returns: state, finding, evidence, fix
WITH environment AS (
    SELECT e ->> 'name' AS name, d #>> '{}' AS database, m.oid
      FROM jsonb_array_elements($1::jsonb -> 'environments') AS e
     CROSS JOIN jsonb_array_elements(e -> 'databases') AS d
      JOIN pg_database AS m ON m.datname = d #>> '{}'
     WHERE (e ->> 'audit')::bool
), preload AS (
    SELECT current_setting('shared_preload_libraries') ~ '(^|[/, "])pgaudit($|[, "])' AS has_pgaudit
), set_for AS (
    SELECT s.setdatabase, split_part(c, '=', 1) AS parameter, substr(c, strpos(c, '=') + 1) AS value
      FROM pg_db_role_setting AS s CROSS JOIN unnest(s.setconfig) AS c
     WHERE s.setrole = 0
)
SELECT 'warn' AS state, 'connections are not logged' AS finding,
       format('log_connections = %s', current_setting('log_connections')) AS evidence,
       'ALTER SYSTEM SET log_connections = on; SELECT pg_reload_conf();' AS fix
 WHERE current_setting('log_connections') IN ('off', '')
 UNION ALL
SELECT 'warn', 'lines of the log do not say who did it in which database',
       format('log_line_prefix = %s', current_setting('log_line_prefix')),
       'ALTER SYSTEM SET log_line_prefix = ''%m [%p] %q%u@%d %a ''; SELECT pg_reload_conf();'
 WHERE current_setting('log_destination') !~ '(csv|json)log'
   AND (current_setting('log_line_prefix') !~ '%u' OR current_setting('log_line_prefix') !~ '%d')
 UNION ALL
SELECT 'warn', format('%s asks for an audit, and pgaudit is not loaded', string_agg(DISTINCT name, ', ')),
       'only DDL is seen, through log_statement, and what functions run is not',
       '-- Debian: postgresql-NN-pgaudit; then pgdeck apply --restart'
  FROM environment CROSS JOIN preload WHERE NOT has_pgaudit HAVING count(*) > 0
 UNION ALL
SELECT 'fail', format('%s asks for an audit, and changes in %s are not logged', e.name, e.database),
       'neither pgaudit.log nor log_statement says so',
       CASE WHEN p.has_pgaudit
            THEN format('ALTER DATABASE %I SET pgaudit.log = ''ddl, role'';', e.database)
            ELSE format('ALTER DATABASE %I SET log_statement = ''ddl'';', e.database) END
  FROM environment AS e CROSS JOIN preload AS p
 WHERE NOT EXISTS (SELECT FROM set_for AS s
                    WHERE s.setdatabase IN (e.oid, 0)
                      AND ((p.has_pgaudit AND s.parameter = 'pgaudit.log'
                            AND s.value ~* '(ddl|all)' AND s.value ~* '(role|all)')
                           OR (s.parameter = 'log_statement' AND s.value IN ('ddl', 'mod', 'all'))))
   AND (SELECT setting FROM pg_settings WHERE name = 'log_statement') NOT IN ('ddl', 'mod', 'all')
