-- what: takes that back
-- servers: 14..
-- variables: name
ALTER SYSTEM RESET :name;
