-- what: the record of maintenance in this database; safe to run again
-- servers: 14..
CREATE SCHEMA IF NOT EXISTS pgdeck;
REVOKE ALL ON SCHEMA pgdeck FROM PUBLIC;

CREATE TABLE IF NOT EXISTS pgdeck.maintenance_run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('daily', 'weekly', 'monthly', 'calendar')),
    environment text NOT NULL,
    window_begin timestamptz,
    state text NOT NULL CHECK (state IN ('running', 'done', 'failed', 'stopped')),
    tries integer NOT NULL DEFAULT 1,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    host text NOT NULL,
    pid integer NOT NULL,
    findings jsonb NOT NULL DEFAULT '[]',
    UNIQUE (environment, kind, window_begin)
);
COMMENT ON TABLE pgdeck.maintenance_run IS
'one row a run of pgdeck maintain; those of the calendar have the window that they are for';

CREATE TABLE IF NOT EXISTS pgdeck.maintenance_task (
    run_id bigint NOT NULL REFERENCES pgdeck.maintenance_run ON DELETE CASCADE,
    seq integer NOT NULL,
    task text NOT NULL,
    relation text,
    what text NOT NULL,
    why text,
    sql text,
    state text NOT NULL CHECK (state IN ('running', 'done', 'failed', 'stopped', 'left')),
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    before jsonb,
    after jsonb,
    gained text,
    error text,
    PRIMARY KEY (run_id, seq)
);
COMMENT ON TABLE pgdeck.maintenance_task IS
'one row a task of a run: what was done, how long it took, what it gained';

CREATE TABLE IF NOT EXISTS pgdeck.maintenance_index (
    relation text PRIMARY KEY,
    bytes_per_entry float8 NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE pgdeck.maintenance_index IS
'what an entry of each large index took when it was at its best: how bloat is seen to grow';
