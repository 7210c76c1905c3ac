-- what: whether a login that a rotation made can go: another of its service is there, and nothing is
--       its own
-- servers: 14..
-- variables: role, other
SELECT o.is_there AND NOT EXISTS (SELECT FROM pg_shdepend AS d JOIN pg_roles AS r ON r.oid = d.refobjid
                                   WHERE d.refclassid = 'pg_authid'::regclass
                                     AND r.rolname = :'role') AS is_free,
       CASE WHEN NOT o.is_there THEN 'the only login left of its service' END AS reason
  FROM (SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :'other') AS is_there) AS o;
