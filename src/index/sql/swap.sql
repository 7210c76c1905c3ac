-- what: gives an index's name to its successor; within a transaction
-- servers: 14..
-- variables: schema, name, new, old
ALTER INDEX :"schema".:"name" RENAME TO :"old";
ALTER INDEX :"schema".:"new" RENAME TO :"name";
