-- what: builds an index from its canonical text; kind is INDEX, UNIQUE INDEX CONCURRENTLY or the
--       like, table is a name that may have ONLY before it
-- servers: 14..
-- variables: kind, name, table, definition
CREATE :kind :"name" ON :table :definition;
