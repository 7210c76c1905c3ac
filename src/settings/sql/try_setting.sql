-- what: whether this session could have that value; it has it until the end of this statement
-- servers: 14..
-- $1 name text
-- $2 value text
SELECT set_config($1, $2, true)
