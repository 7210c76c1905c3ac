-- what: makes the index of a partition a part of the parent's
-- servers: 14..
-- variables: parent_schema, parent, schema, name
ALTER INDEX :"parent_schema".:"parent" ATTACH PARTITION :"schema".:"name";
