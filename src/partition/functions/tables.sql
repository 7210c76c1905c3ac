-- what: where conversions of live tables keep what they have done; safe to run again
-- servers: 14..
CREATE TABLE IF NOT EXISTS pgdeck.conversion (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schema_name name NOT NULL,
    table_name name NOT NULL,
    shadow_name name NOT NULL,
    retired_name name NOT NULL,
    source oid NOT NULL,
    shadow oid,
    key_index oid NOT NULL,
    key_names name[] NOT NULL,
    key_types text[] NOT NULL,
    partition_names name[] NOT NULL,
    partition_types text[] NOT NULL,
    step text NOT NULL CHECK (step IN ('logging', 'copying', 'indexing', 'ready', 'swapped',
                                       'finished', 'rolled back', 'removed')),
    reached text[],
    high text[],
    copied bigint NOT NULL DEFAULT 0,
    description text[],
    foreign_keys jsonb NOT NULL DEFAULT '[]',
    held_ms numeric,
    keep interval NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    swapped_at timestamptz
);
CREATE UNIQUE INDEX IF NOT EXISTS conversion_open ON pgdeck.conversion (schema_name, table_name)
 WHERE step NOT IN ('rolled back', 'removed');
COMMENT ON TABLE pgdeck.conversion IS 'one row a conversion of a table in use; source is copied to shadow, which takes its place';
