-- what: the extension that has an index's operator class, in front of the index
-- servers: 14..
-- variables: extension
CREATE EXTENSION IF NOT EXISTS :"extension";
