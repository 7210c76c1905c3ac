-- what: marks a partition as one that is removed, for whoever finds it half way
-- servers: 14..
-- variables: schema, table, note
COMMENT ON TABLE :"schema".:"table" IS :'note';
