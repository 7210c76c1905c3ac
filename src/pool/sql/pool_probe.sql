-- what: what the session holds that outlives a transaction
-- servers: 14..18
-- $1 boolean look for parameters; $2 text names of further parameters, in hex, with commas
-- $3 boolean advisory locks; $4 boolean LISTEN; $5 boolean cursors WITH HOLD
-- $6 boolean temporary objects; $7 boolean statements prepared by SQL; $8 name the login
-- returns: what, name, value
SELECT 'parameter' AS what, s.name, s.setting AS value
  FROM pg_catalog.pg_settings AS s
 WHERE $1::boolean AND s.source OPERATOR(pg_catalog.=) 'session'
   AND s.name OPERATOR(pg_catalog.<>) ALL (
       '{transaction_isolation,transaction_read_only,transaction_deferrable}'::pg_catalog.text[])
UNION ALL
SELECT 'parameter', 'role', pg_catalog.current_setting('role')
 WHERE $1::boolean AND pg_catalog.current_setting('role') OPERATOR(pg_catalog.<>) 'none'
UNION ALL
SELECT 'parameter', p.name, pg_catalog.current_setting(p.name, true)
  FROM (SELECT pg_catalog.convert_from(pg_catalog.decode(h.hex, 'hex'), 'UTF8') AS name
          FROM pg_catalog.unnest(
                 pg_catalog.string_to_array($2::pg_catalog.text, ',')) AS h (hex)) AS p
 WHERE pg_catalog.current_setting(p.name, true) OPERATOR(pg_catalog.<>) ''
UNION ALL
SELECT 'locks', '', NULL
 WHERE $3::boolean AND EXISTS (
       SELECT FROM pg_catalog.pg_locks AS l
        WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory'
          AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid())
UNION ALL
SELECT 'listen', '', NULL
 WHERE $4::boolean AND EXISTS (SELECT FROM pg_catalog.pg_listening_channels())
UNION ALL
SELECT 'cursors', '', NULL
 WHERE $5::boolean AND EXISTS (SELECT FROM pg_catalog.pg_cursors AS c WHERE c.is_holdable)
UNION ALL
SELECT 'temporary', '', NULL
 WHERE $6::boolean AND EXISTS (
       SELECT FROM pg_catalog.pg_depend AS d
        WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
          AND d.refobjid OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())
UNION ALL
SELECT 'statement', p.name,
       CASE WHEN pg_catalog.length(p.statement) OPERATOR(pg_catalog.<=) 8192 THEN p.statement END
  FROM pg_catalog.pg_prepared_statements AS p
 WHERE $7::boolean AND p.from_sql
UNION ALL
SELECT 'role', '', NULL
 WHERE SESSION_USER OPERATOR(pg_catalog.<>) $8::pg_catalog.name
