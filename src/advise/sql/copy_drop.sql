-- what: the copy of a database goes
-- servers: 14..
-- variables: name
DROP DATABASE IF EXISTS :"name"
