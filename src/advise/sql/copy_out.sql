-- what: the rows of a table, or of a sample, as COPY's text
-- servers: 14..
-- variables: schema table sample
COPY (SELECT * FROM :"schema".:"table" :sample) TO STDOUT
