-- what: all rows of a partition, to be written to a file
-- servers: 14..
-- variables: schema, table
COPY :"schema".:"table" TO STDOUT (FORMAT csv, HEADER);
