-- what: whether the logins are still there that a rotation is to replace
-- servers: 14..
-- variables: names (text[])
SELECT count(*) = (SELECT count(DISTINCT n) FROM unnest(:'names'::text[]) AS n) AS is_free,
       'the only login left of a service comes in by it' AS reason
  FROM pg_roles WHERE rolname = ANY (:'names'::text[]);
