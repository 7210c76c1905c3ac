-- what: parameters for which rights were granted, and whether this role has them
-- servers: 15..
SELECT parname AS name, has_parameter_privilege(parname, 'SET') AS can_set,
       has_parameter_privilege(parname, 'ALTER SYSTEM') AS can_alter_system
  FROM pg_parameter_acl
