-- what: the journal: what pgdeck did in this database, with the way back; safe to run again
-- servers: 14..
CREATE SCHEMA IF NOT EXISTS pgdeck;
COMMENT ON SCHEMA pgdeck IS 'pgdeck''s journal of changes; pgdeck rollback reads it';
REVOKE ALL ON SCHEMA pgdeck FROM PUBLIC;

CREATE TABLE IF NOT EXISTS pgdeck.apply (
    id uuid PRIMARY KEY,
    deck text NOT NULL,
    server text NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'done', 'failed', 'rolled back')),
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    host text NOT NULL,
    pid integer NOT NULL,
    role name NOT NULL DEFAULT current_user,
    version text NOT NULL
);
COMMENT ON TABLE pgdeck.apply IS 'one row a run of pgdeck apply on this server; in the database of the deck''s conninfo only';

CREATE TABLE IF NOT EXISTS pgdeck.journal (
    apply_id uuid NOT NULL,
    seq integer NOT NULL,
    advisor text NOT NULL,
    key text NOT NULL,
    what text NOT NULL,
    sql text,
    undo text,
    undo_guard text,
    undo_guard_database text,
    is_transactional boolean NOT NULL,
    needs text CHECK (needs IN ('reload', 'restart')),
    state text NOT NULL CHECK (state IN ('started', 'done', 'failed', 'undone', 'kept')),
    declared text,
    observed text,
    error text,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    PRIMARY KEY (apply_id, seq)
);
CREATE INDEX IF NOT EXISTS journal_key ON pgdeck.journal (key, started_at);
COMMENT ON TABLE pgdeck.journal IS 'one row a change in this database, written before it runs and after';
