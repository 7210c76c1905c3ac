-- what: the texts of the statements in the history
-- object: table monitoring.query_texts
-- servers: 14..18
CREATE TABLE monitoring.query_texts (
    query_id bigint PRIMARY KEY,
    query text NOT NULL
);

COMMENT ON TABLE monitoring.query_texts IS
'Text of each query_id of statement_history: its first 4000 characters, kept as long as the
history.';

GRANT SELECT ON monitoring.query_texts TO pg_monitor;
