-- what: drops a extension
-- servers: 14..
-- variables: name
DROP EXTENSION IF EXISTS :"name";
