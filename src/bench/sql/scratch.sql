-- what: whether a server takes a database for load of our own, and what is there of that name
-- servers: 14..
-- $1 name text
-- returns: is_standby, may_create, is_there, is_ours (marked by its comment), data_directory (null:
--   not for us to know)
SELECT pg_is_in_recovery() AS is_standby,
       (SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may_create,
       d.oid IS NOT NULL AS is_there,
       coalesce(shobj_description(d.oid, 'pg_database') = 'made by pgdeck bench', false) AS is_ours,
       (SELECT setting FROM pg_settings WHERE name = 'data_directory') AS data_directory
FROM (SELECT) AS one
LEFT JOIN pg_database AS d ON d.datname = $1;
