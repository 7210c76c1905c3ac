-- what: rows for the copy of a table
-- servers: 14..
-- variables: schema table
COPY :"schema".:"table" FROM STDIN
