-- what: the record of rescues; safe to run again
-- servers: 14..
CREATE SCHEMA IF NOT EXISTS pgdeck;
REVOKE ALL ON SCHEMA pgdeck FROM PUBLIC;
CREATE TABLE IF NOT EXISTS pgdeck.rescue (
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    role name NOT NULL DEFAULT current_user,
    sight text NOT NULL,
    what text NOT NULL,
    why text NOT NULL,
    how text NOT NULL,
    pid text,
    outcome text NOT NULL
);
COMMENT ON TABLE pgdeck.rescue IS 'what pgdeck rescue did, and why'
