-- what: where adoptions of live tables, as one partition of a new table, keep what they have done
-- servers: 14..
CREATE TABLE IF NOT EXISTS pgdeck.adoption (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schema_name name NOT NULL,
    table_name name NOT NULL,
    shadow_name name NOT NULL,
    history_name name NOT NULL,
    source oid NOT NULL,
    shadow oid,
    column_name name NOT NULL,
    until text NOT NULL,
    step text NOT NULL CHECK (step IN ('preparing', 'swapped', 'finished', 'rolled back', 'removed')),
    description text[] NOT NULL,
    held_ms numeric,
    keep interval NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    swapped_at timestamptz
);
CREATE UNIQUE INDEX IF NOT EXISTS adoption_open ON pgdeck.adoption (schema_name, table_name)
 WHERE step NOT IN ('rolled back', 'removed');
COMMENT ON TABLE pgdeck.adoption IS 'one row a table in use that became a partition: source is put under shadow, which takes its name';
