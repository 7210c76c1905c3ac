-- what: the OID of a type by its name, as the session's search_path finds it
-- servers: 14..
-- $1 name text
-- returns: oid, 0 when there is no such type
SELECT coalesce(to_regtype($1)::oid::bigint, 0) AS oid;
