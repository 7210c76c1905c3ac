-- what: the password verifiers of some roles; superusers only
-- servers: 14..
-- $1 names text[]
-- returns: name, verifier (null: has none)
SELECT rolname AS name, rolpassword AS verifier
  FROM pg_authid
 WHERE rolname = ANY ($1::text[])
