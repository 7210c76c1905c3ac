-- what: an index as advised
-- servers: 14..
-- variables: name table definition
CREATE INDEX :name ON :table :definition
