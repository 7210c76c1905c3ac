-- what: logins of the deck whose statements or transactions may go on for ever
-- item: timeouts
-- ok: statements and idle transactions of every login of the deck come to an end
-- scope: server
-- servers: 14..
-- $1 deck json
-- returns: state, finding, evidence, fix
WITH login AS (
    SELECT l #>> '{}' AS name, e AS environment
      FROM jsonb_array_elements($1::jsonb -> 'environments') AS e
     CROSS JOIN jsonb_array_elements(e -> 'services') AS s
     CROSS JOIN jsonb_array_elements(s -> 'logins') AS l
), set_for AS (
    SELECT s.setrole, s.setdatabase, split_part(c, '=', 1) AS parameter
      FROM pg_db_role_setting AS s CROSS JOIN unnest(s.setconfig) AS c
     WHERE c ~ '^(statement_timeout|idle_in_transaction_session_timeout)=' AND c !~ '=0(ms|s|min|h|d)?$'
)
SELECT 'warn' AS state, format('role %I: %s', l.name, p.what) AS finding,
       format('%s is set neither for the role, nor for its databases, nor for the server',
              p.name) AS evidence,
       format('ALTER ROLE %I SET %s = %L;', l.name, p.name, p.value) AS fix
  FROM login AS l
  JOIN pg_roles AS r ON r.rolname = l.name AND r.rolcanlogin
 CROSS JOIN (VALUES ('statement_timeout', 'a statement may go on for ever', '5min'),
                    ('idle_in_transaction_session_timeout',
                     'an idle transaction may hold its locks for ever', '1min')
            ) AS p(name, what, value)
  JOIN pg_settings AS g ON g.name = p.name
 WHERE NOT EXISTS (SELECT FROM set_for AS s
                    WHERE s.parameter = p.name AND s.setrole = r.oid AND s.setdatabase = 0)
   AND NOT (g.source IN ('configuration file', 'command line', 'environment variable')
            AND g.setting <> '0')
   AND EXISTS (SELECT FROM jsonb_array_elements_text(l.environment -> 'databases') AS n
                 JOIN pg_database AS d ON d.datname = n
                WHERE NOT EXISTS (SELECT FROM set_for AS s
                                   WHERE s.parameter = p.name AND s.setdatabase = d.oid
                                     AND s.setrole IN (0, r.oid)))
