-- what: who is let in from where, and how he proves who he is
-- item: pg_hba.conf
-- ok: nobody from elsewhere comes in without SCRAM, a certificate or a directory's word
-- scope: server
-- servers: 14..
-- $1 deck json
-- returns: state, finding, evidence, fix
WITH rule AS (
    SELECT coalesce((to_jsonb(r) ->> 'rule_number')::int, line_number) AS number,
           line_number || coalesce(' of ' || nullif(to_jsonb(r) ->> 'file_name',
                                                    current_setting('hba_file')), '') AS line,
           type, database, user_name, auth_method AS method, error, address, netmask,
           type = 'local' OR address IN ('localhost', '::1', 'samehost')
               OR (address LIKE '127.%' AND netmask LIKE '255.%') AS is_near,
           address = 'all' OR netmask IN ('0.0.0.0', '::') AS is_everywhere
      FROM pg_hba_file_rules AS r
), shown AS (
    SELECT *, format('line %s: %s %s %s %s %s', line, type, array_to_string(database, ','),
                     array_to_string(user_name, ','),
                     concat_ws('/', nullif(address, ''), netmask), method) AS text
      FROM rule
), environment AS (
    SELECT e ->> 'name' AS name, d #>> '{}' AS database
      FROM jsonb_array_elements($1::jsonb -> 'environments') AS e
     CROSS JOIN jsonb_array_elements(e -> 'databases') AS d
     WHERE (e ->> 'tls')::bool
)
SELECT 'fail' AS state, format('line %s is faulty', line) AS finding, error AS evidence,
       '-- correct it, then SELECT pg_reload_conf();' AS fix
  FROM rule WHERE error IS NOT NULL
 UNION ALL
SELECT 'fail', format('%s lets in from elsewhere', method), text,
       format('-- pg_hba.conf line %s: scram-sha-256, then SELECT pg_reload_conf();', line)
  FROM shown WHERE NOT is_near AND method IN ('trust', 'password', 'md5', 'ident')
 UNION ALL
SELECT 'warn', 'whoever is on the host may be anybody', text,
       format('-- pg_hba.conf line %s: %s, then SELECT pg_reload_conf();', line,
              CASE type WHEN 'local' THEN 'peer or scram-sha-256' ELSE 'scram-sha-256' END)
  FROM shown WHERE is_near AND method = 'trust'
 UNION ALL
SELECT 'warn', format('%s is no longer safe', method), text,
       format('-- pg_hba.conf line %s: scram-sha-256, then SELECT pg_reload_conf();', line)
  FROM shown WHERE is_near AND method IN ('password', 'md5')
 UNION ALL
SELECT 'warn', 'every role may come from everywhere', text,
       '-- name the networks: security: allow of the deck, then pgdeck apply'
  FROM shown
 WHERE is_everywhere AND method <> 'reject' AND 'all' = ANY (user_name) AND 'all' = ANY (database)
 UNION ALL
SELECT 'warn', 'superusers may come from elsewhere', text,
       '-- name the roles: security: allow of the deck, then pgdeck apply'
  FROM shown WHERE NOT is_near AND NOT is_everywhere AND method <> 'reject' AND 'all' = ANY (user_name)
 UNION ALL
SELECT CASE WHEN s.is_near THEN 'warn' ELSE 'fail' END,
       format(CASE WHEN count(DISTINCT e.database) > 1
                   THEN '%s: the deck says tls: required, and %s take clear text%s'
                   ELSE '%s: the deck says tls: required, and %s takes clear text%s' END,
              string_agg(DISTINCT e.name, ', '), string_agg(DISTINCT e.database, ', '),
              CASE WHEN s.is_near THEN ' on the server''s own host' ELSE '' END),
       s.text,
       format('-- pg_hba.conf line %s: hostssl%s, then SELECT pg_reload_conf();', s.line,
              CASE WHEN s.is_near
                   THEN ' (pgdeck''s own lines: sslmode=verify-full in the deck''s conninfo)'
                   ELSE '' END)
  FROM environment AS e
  JOIN shown AS s ON s.type IN ('host', 'hostnossl') AND s.method <> 'reject'
                 AND (e.database = ANY (s.database) OR 'all' = ANY (s.database))
 WHERE NOT EXISTS (SELECT FROM rule AS r
                    WHERE r.number < s.number AND r.is_everywhere AND r.method = 'reject'
                      AND r.type IN ('host', 'hostnossl') AND 'all' = ANY (r.user_name)
                      AND (e.database = ANY (r.database) OR 'all' = ANY (r.database)))
 GROUP BY s.number, s.line, s.text, s.is_near
