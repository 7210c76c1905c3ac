-- what: how the server keeps passwords; their kind only
-- item: passwords
-- ok: every password is kept as SCRAM-SHA-256
-- scope: server
-- servers: 14..
-- $1 deck json
-- returns: state, finding, evidence, fix
SELECT 'fail' AS state, format('the password of role %I is kept as MD5', rolname) AS finding,
       'whoever reads the verifier can log in with it' AS evidence,
       format('\password %I -- in psql, with password_encryption = scram-sha-256', rolname) AS fix
  FROM pg_authid WHERE rolpassword LIKE 'md5%'
 UNION ALL
SELECT 'warn', format('the verifier of role %I has few iterations', rolname),
       format('%s, less than 4096', split_part(split_part(rolpassword, '$', 2), ':', 1)),
       format('\password %I', rolname)
  FROM pg_authid
 WHERE rolpassword ~ '^SCRAM-SHA-256\$[0-9]{1,9}:'
   AND split_part(split_part(rolpassword, '$', 2), ':', 1)::int < 4096
 UNION ALL
SELECT 'warn', format('the password of role %I has expired, and the role may still log in', rolname),
       format('valid until %s; a pooler or another method may let it in',
              to_char(rolvaliduntil, 'YYYY-MM-DD')),
       format('ALTER ROLE %I NOLOGIN;', rolname)
  FROM pg_authid WHERE rolcanlogin AND rolvaliduntil < now()
 UNION ALL
SELECT 'fail', format('new passwords are kept as %s', current_setting('password_encryption')),
       'password_encryption',
       'ALTER SYSTEM SET password_encryption = ''scram-sha-256''; SELECT pg_reload_conf();'
 WHERE current_setting('password_encryption') <> 'scram-sha-256'
 UNION ALL
SELECT 'warn', format('role %I logs in and has no password', deck.name), 'the deck''s login',
       '-- pgdeck apply'
  FROM (SELECT l #>> '{}' AS name
          FROM jsonb_array_elements($1::jsonb -> 'environments') AS e
         CROSS JOIN jsonb_array_elements(e -> 'services') AS s
         CROSS JOIN jsonb_array_elements(s -> 'logins') AS l) AS deck
  JOIN pg_authid AS r ON r.rolname = deck.name AND r.rolpassword IS NULL
